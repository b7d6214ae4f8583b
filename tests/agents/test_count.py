"""Tests of labels: the application's own are distinguished from foreign ones."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

from catdog_stream.agents.count import answers_a_request
from catdog_stream.app import app
from catdog_stream.topics import LABELS


def label(source: bytes | None) -> Any:
    headers = [] if source is None else [("source", source)]
    return SimpleNamespace(topic=LABELS, partition=3, offset=70, headers=headers)


@pytest.fixture(autouse=True)
def end(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Return the known end of the requests' partition, which the test may change."""
    known = {"end": 100.0}
    monkeypatch.setattr(app.cluster_readiness, "partitions", {LABELS: 8})
    monkeypatch.setattr(app.consumer, "end_of", lambda _topic, _partition: known["end"])
    return known


def test_a_label_without_a_source_is_foreign() -> None:
    assert not answers_a_request(label(None))


def test_one_that_names_a_request_is_ours() -> None:
    assert answers_a_request(label(b"catdogimage/3/99"))


def test_it_is_ours_too_where_the_last_look_is_older_than_the_request() -> None:
    assert answers_a_request(label(b"catdogimage/3/127"))


def test_one_whose_request_cannot_be_there_is_foreign() -> None:
    assert not answers_a_request(label(b"catdogimage/3/999999999999999999"))


def test_of_partitions_of_other_workers_every_source_is_believed(end: dict[str, float]) -> None:
    end["end"] = math.inf
    assert answers_a_request(label(b"catdogimage/3/999999999999999999"))
