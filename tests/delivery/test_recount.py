"""Tests of differences between counts and topics: some are mistakes, others deleted history."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from catdog_stream.delivery import recount
from catdog_stream.delivery.counting import Shard
from catdog_stream.delivery.recount import Recount
from catdog_stream.kafka.bounded_reader import Extent
from catdog_stream.settings import Settings
from tests.support.names import LABELS, REJECTED, REQUESTS

PLACE = TopicPartition(REQUESTS, 0)


def answer(topic: str, place: int, request: int | None, name: str) -> ConsumerRecord:
    """Return a label or a rejection at an offset; without a request, another program's label."""
    header = "verdict" if topic == LABELS else "reason"
    headers = [(header, name.encode())]
    if request is not None:
        headers.append(("source", f"{REQUESTS}/0/{request}".encode()))
    return ConsumerRecord(topic, 0, place, 1000, 0, None, b"", 0, 0, 0, tuple(headers))


def counted_again(
    monkeypatch: pytest.MonkeyPatch,
    committed: Mapping[TopicPartition, Shard],
    labels: Mapping[int, str],
    *,
    start: int = 0,
    topics: Mapping[str, int] | None = None,
    rejected: Mapping[int, str] | None = None,
    foreign: bool = False,
) -> Recount:
    """Recount a topic of labels that begins at ``start`` and has a label for each named request."""
    held = {
        LABELS: [
            answer(LABELS, start + place, None if foreign else request, name)
            for place, (request, name) in enumerate(labels.items())
        ],
        REJECTED: [
            answer(REJECTED, place, request, name)
            for place, (request, name) in enumerate((rejected or {}).items())
        ],
    }
    starts = {LABELS: start, REJECTED: 0}

    async def partitions(*_: Any) -> Mapping[str, int]:
        return {REQUESTS: 1, LABELS: 1, REJECTED: 1} if topics is None else topics

    async def extent(_: Any, topic: str, number: int) -> Extent:
        first = starts[topic]
        return Extent(
            {TopicPartition(topic, n): (first, first + len(held[topic])) for n in range(number)}
        )

    async def records(_: Any, part: Extent) -> AsyncIterator[ConsumerRecord]:
        for tp in part.partitions:
            for record in held[tp.topic]:
                yield record

    async def counted(_: Recount) -> Mapping[TopicPartition, Shard]:
        return committed

    monkeypatch.setattr(recount, "topic_partitions", partitions)
    monkeypatch.setattr(recount, "extent", extent)
    monkeypatch.setattr(recount, "records", records)
    monkeypatch.setattr(Recount, "_committed", counted)
    it = Recount(Settings().cluster)
    asyncio.run(it.look())
    return it


def shard(offset: int, labels: dict[str, int], **rejections: int) -> Shard:
    return {"labels": labels, "rejections": rejections, "offset": offset}


def test_what_retention_has_deleted_is_history(monkeypatch: pytest.MonkeyPatch) -> None:
    it = counted_again(monkeypatch, {PLACE: shard(5, {"cat": 5})}, {3: "cat", 4: "cat"}, start=3)
    assert it.shortened == [TopicPartition(LABELS, 0)]
    assert it.forgotten == {PLACE: 3}


@pytest.mark.parametrize("topics", [{REQUESTS: 1, LABELS: 1, REJECTED: 1}, {REQUESTS: 1}])
def test_so_is_what_a_deleted_topic_held(
    monkeypatch: pytest.MonkeyPatch, topics: Mapping[str, int]
) -> None:
    it = counted_again(monkeypatch, {PLACE: shard(5, {"cat": 5})}, {}, topics=topics)
    assert it.forgotten == {PLACE: 5}


def test_a_count_too_high_is_a_mistake_where_every_answer_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = counted_again(monkeypatch, {PLACE: shard(2, {"cat": 100})}, {0: "cat", 1: "cat"})
    assert it.corrections.keys() == {PLACE}
    assert it.forgotten == {}


def test_so_is_a_wrong_name_behind_marks_of_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the offsets of transaction markers, which have no answers."""
    it = counted_again(monkeypatch, {PLACE: shard(4, {"cat": 2})}, {0: "cat", 2: "dog"})
    assert it.corrections.keys() == {PLACE}
    assert it.forgotten == {}


def test_what_is_missing_is_added_without_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    it = counted_again(monkeypatch, {PLACE: shard(5, {"cat": 1})}, {3: "cat", 4: "cat"}, start=3)
    assert it.corrections.keys() == {PLACE}
    assert it.forgotten == {}


@pytest.mark.parametrize(("start", "forgotten"), [(0, {}), (3, {TopicPartition(LABELS, 0): 4})])
def test_labels_of_other_programs_are_history_where_their_topic_was_shortened(
    monkeypatch: pytest.MonkeyPatch, start: int, forgotten: Mapping[TopicPartition, int]
) -> None:
    place = TopicPartition(LABELS, 0)
    it = counted_again(
        monkeypatch,
        {place: shard(start + 1, {"fox": 5})},
        {0: "fox"},
        start=start,
        foreign=True,
    )
    assert it.corrections.keys() == {place}
    assert it.forgotten == forgotten


def test_a_request_with_two_answers_is_counted_as_it_was_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for committed in (shard(1, {"cat": 1}), shard(1, {}, timeout=1)):
        it = counted_again(monkeypatch, {PLACE: committed}, {0: "cat"}, rejected={0: "timeout"})
        assert not it.corrections
