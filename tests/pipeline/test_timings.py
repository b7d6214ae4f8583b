"""Tests of stages: each lies between two moments, and any moment may be missing."""

import time

import pytest
from prometheus_client import REGISTRY, Histogram

from catdog_stream import metrics
from catdog_stream.pipeline.timings import MOST_IN_QUEUE, Timings, observe_queue


def test_stages_follow_each_other_without_a_gap() -> None:
    timings = Timings(1.0, begun=2.0, read=4.0, batched=5.0, decided=8.0)
    timings.handed_over, timings.confirmed = 9.0, 11.0
    assert list(timings.stages()) == [
        ("thread", 1.0, 2.0),
        ("reading", 2.0, 4.0),
        ("batch", 4.0, 5.0),
        ("model", 5.0, 8.0),
        ("order", 8.0, 9.0),
        ("publishing", 9.0, 11.0),
    ]


def test_what_was_rejected_as_it_was_read_was_never_in_a_batch() -> None:
    timings = Timings(1.0, begun=2.0, read=4.0, handed_over=5.0, confirmed=6.0)
    assert [name for name, *_ in timings.stages()] == ["thread", "reading", "order", "publishing"]


def test_what_a_jury_decides_waits_for_votes_alone() -> None:
    timings = Timings(1.0, voted=3.0, handed_over=3.0, confirmed=4.0)
    assert [name for name, *_ in timings.stages()] == ["votes", "order", "publishing"]


def test_it_begins_when_it_is_made() -> None:
    timings = Timings()
    timings.note_batched()
    ((name, began, ended),) = timings.stages()
    assert name == "batch"
    assert ended >= began
    with pytest.raises(AttributeError):
        timings.eaten = 1.0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("age", "waited"),
    [(100.0, 96.0), (3.0, 0.0), (-(10.0**9), 0.0), (1.7e9, MOST_IN_QUEUE)],
    ids=["before it was taken", "while it was answered", "in the future", "in 1970"],
)
def test_the_time_in_kafka_ends_when_a_request_is_taken(age: float, waited: float) -> None:
    def queued() -> float:
        return REGISTRY.get_sample_value("catdog_queue_seconds_sum") or 0.0

    timings = Timings(1.0, confirmed=5.0)
    before = queued()
    observe_queue(round((time.time() - age) * 1000), timings)
    assert queued() - before == pytest.approx(waited, abs=0.5)
    before = queued()
    observe_queue(None, timings)
    assert queued() == before


@pytest.mark.parametrize(
    "histogram", [metrics.STAGE_SECONDS, metrics.INFERENCE_SECONDS, metrics.REQUEST_SECONDS]
)
def test_a_picture_that_takes_four_milliseconds_is_told_from_one_that_takes_eight(
    histogram: Histogram,
) -> None:
    bounds = histogram._kwargs["buckets"]
    assert any(0.004 <= bound < 0.008 for bound in bounds)
    assert any(0.001 <= bound < 0.004 for bound in bounds)
