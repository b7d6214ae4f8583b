"""Tests of labels: the application's own are distinguished from foreign ones."""

import math
from types import SimpleNamespace
from typing import Any

from catdog_stream.agents.count import answers_a_request
from tests.support.names import LABELS, REQUESTS


def label(source: bytes | None) -> Any:
    headers = [] if source is None else [("source", source)]
    return SimpleNamespace(topic=LABELS, partition=3, offset=70, headers=headers)


def is_own(source: bytes | None, *, end: float = 100.0) -> bool:
    """Return true if the label counts as an answer where a partition ends at ``end``."""
    return answers_a_request(
        label(source),
        requests_topic=REQUESTS,
        partitions=8,
        end_of=lambda _topic, _partition: end,
    )


def test_a_label_without_a_source_is_foreign() -> None:
    assert not is_own(None)


def test_one_that_names_a_request_is_ours() -> None:
    assert is_own(b"catdogimage/3/99")


def test_it_is_ours_too_where_the_last_look_is_older_than_the_request() -> None:
    assert is_own(b"catdogimage/3/127")


def test_one_whose_request_cannot_be_there_is_foreign() -> None:
    assert not is_own(b"catdogimage/3/999999999999999999")


def test_of_partitions_of_other_workers_every_source_is_believed() -> None:
    assert is_own(b"catdogimage/3/999999999999999999", end=math.inf)
