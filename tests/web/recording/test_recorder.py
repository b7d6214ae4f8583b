"""Tests of the time to an answer on the page: it includes the wait in Kafka."""

from typing import Any

import pytest

from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.observing import Answered
from catdog_stream.pipeline.outcome import Classified
from catdog_stream.pipeline.timings import Timings
from catdog_stream.web.recording.latency import percentile
from catdog_stream.web.recording.recorder import Recorder
from tests.support.requests import PARSER

NOW = 1_700_000_000.0
CLASSIFIED = Classified(None, Verdict({"cat": 1.0}, "pets 2"))


def shown(seconds: float, stated: float | None, **more: Any) -> float:
    """Return the recorded seconds of a request: ``seconds`` in progress, timestamp ``stated``."""
    now = NOW
    recorder = Recorder(lambda: now, limits=PictureLimits(), parser=PARSER, **more)
    timestamp = None if stated is None else round(stated * 1000)
    incoming = Incoming(Source("catdogimage", 3, 17), None, b"", (), timestamp)
    recorder.answered(
        Answered(incoming, CLASSIFIED, None, Timings(taken=100.0, confirmed=100.0 + seconds))
    )
    now += 1
    found = percentile(recorder.history.recent().bins, 1.0)
    assert found is not None
    return found


def test_the_wait_in_kafka_counts() -> None:
    assert shown(0.72, NOW - 13.0) == pytest.approx(13.0, rel=0.1)


@pytest.mark.parametrize("stated", [NOW, NOW + 3600, None])
def test_a_time_in_the_future_or_none_leaves_the_time_in_work(stated: float | None) -> None:
    assert shown(0.72, stated) == pytest.approx(0.72, rel=0.1)


def test_what_the_log_says_of_the_record_goes_before_its_time() -> None:
    asked: list[tuple[str, Any]] = []

    def age(source: Source, claimed: float | None) -> float | None:
        asked.append((str(source), claimed))
        return 5.0

    assert shown(0.72, NOW - 3 * 86400, age=age) == pytest.approx(5.0, rel=0.1)
    assert asked == [("catdogimage/3/17", pytest.approx(3 * 86400))]
    assert shown(0.72, NOW - 3 * 86400, age=lambda *_: None) == pytest.approx(0.72, rel=0.1)
