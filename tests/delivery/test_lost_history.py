"""Tests of the offset at which a worker continues after offsets or logs were lost."""

import asyncio
import logging
from collections.abc import Mapping
from typing import cast

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata
from faust.types import TP

from catdog_stream.app import build_app
from catdog_stream.delivery import lost_history
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.counting import Shard, marked
from catdog_stream.delivery.history import History, Known
from catdog_stream.delivery.marks import mark_of
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.settings import Settings

REQUESTS, VOTES = TP("catdogimage", 0), TP("catdogvote", 0)


class Cluster:
    """Content of Kafka, and the queries that it received."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.histories: dict[TP, History] = {}
        self.asked: Mapping[TopicPartition, Known] = {}
        self.error: Exception | None = None
        monkeypatch.setattr(lost_history, "compare", self._compare)
        monkeypatch.setattr(lost_history, "answered_before", self._answered_before)

    async def _compare(
        self, _cluster: ClusterConfig, remembered: Mapping[TopicPartition, Known]
    ) -> Mapping[TopicPartition, History]:
        self.asked = remembered
        if self.error is not None:
            raise self.error
        return {TopicPartition(*tp): history for tp, history in self.histories.items()}

    async def _answered_before(self, *_: object) -> Mapping[int, int]:
        return {0: 54}


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Return a simulated cluster for one test."""
    return Cluster(monkeypatch)


def table(follows: TP = REQUESTS, offset: int | None = 55) -> CommittedTable:
    """Return counts of requests up to ``offset``."""
    app = build_app(Settings())
    made = app.Table("numbers", partitions=1, follows=follows.topic, counts=REQUESTS.topic)
    counts = cast(CommittedTable, made)
    if offset is not None:
        shard: Shard = {"labels": {"cat": 55}, "rejections": {}, "offset": offset}
        counts[0] = marked(shard, mark_of(54, 1.0, b""))
    return counts


def moved(
    counts: CommittedTable | None,
    committed: int | None,
    tp: TP = REQUESTS,
    *,
    begun_again: bool = False,
) -> Mapping[TP, int]:
    return asyncio.run(
        lost_history.positions(
            Settings().cluster,
            "catdog_stream",
            [tp],
            {} if committed is None else {tp: OffsetAndMetadata(committed, "")},
            {} if counts is None else {tp.topic: counts},
            [tp] if begun_again else [],
        )
    )


def test_what_was_committed_is_read_on_from_where_the_log_is_the_same(kafka: Cluster) -> None:
    kafka.histories[REQUESTS] = History(0, 60)
    assert moved(table(), 55) == {}
    assert kafka.asked == {TopicPartition(*REQUESTS): Known(55, table().marks(0), 55)}


def test_without_an_offset_the_copy_of_the_counts_says_where_to_read_on(
    kafka: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    kafka.histories[REQUESTS] = History(0, 60)
    assert moved(table(), None) == {REQUESTS: 55}
    assert "no offset of the group catdog_stream for catdogimage/0" in caplog.text
    assert "--to-earliest" in caplog.text


def test_without_a_copy_everything_is_read_and_the_log_offers_the_other_way(
    kafka: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    assert moved(table(offset=None), None) == {}
    assert kafka.asked == {}
    assert "answers to requests up to offset 54 there" in caplog.text
    assert "--to-offset 55" in caplog.text


@pytest.mark.parametrize("committed", [55, None])
def test_a_log_that_was_lost_is_answered_and_its_counts_stay(
    kafka: Cluster, caplog: pytest.LogCaptureFixture, committed: int | None
) -> None:
    counts = table()
    kafka.histories[REQUESTS] = History(0, 70, lost_from=0)
    assert moved(counts, committed) == {REQUESTS: 0}
    assert counts.counted_up_to(0) == 0
    assert counts[0]["labels"] == {"cat": 55}
    assert counts.marks(0) == []
    assert len(caplog.records) == 1
    assert "lost records of catdogimage/0: those in front of offset 55" in caplog.text


def test_an_offset_that_was_set_back_by_hand_stays_in_front_of_where_the_log_differs(
    kafka: Cluster,
) -> None:
    counts = table()
    kafka.histories[REQUESTS] = History(0, 70, lost_from=49)
    assert moved(counts, 10) == {REQUESTS: 10}
    assert counts.counted_up_to(0) == 49


def test_an_agent_without_counts_reads_a_log_that_begins_again(kafka: Cluster) -> None:
    kafka.histories[REQUESTS] = History(3, 70)
    assert moved(None, 55) == {}
    assert moved(None, 55, begun_again=True) == {REQUESTS: 3}


def test_marks_decide_where_a_new_leader_only_seemed_to_begin_again(kafka: Cluster) -> None:
    kafka.histories[REQUESTS] = History(0, 70)
    assert moved(table(), 55, begun_again=True) == {}


def test_a_jury_whose_requests_were_lost_decides_the_new_ones(kafka: Cluster) -> None:
    counts = table(VOTES)
    kafka.histories = {VOTES: History(0, 200), REQUESTS: History(0, 5, lost_from=0)}
    assert moved(counts, 110, VOTES) == {}
    assert kafka.asked[TopicPartition(*REQUESTS)] == Known(55)
    assert (counts.counted_up_to(0), len(counts.marks(0))) == (0, 5)


def test_a_jury_without_an_offset_reads_all_votes_and_decides_nothing_again(
    kafka: Cluster,
) -> None:
    counts = table(VOTES)
    kafka.histories = {VOTES: History(0, 200), REQUESTS: History(0, 60)}
    assert moved(counts, None, VOTES) == {}
    assert counts.counted_up_to(0) == 55


@pytest.mark.parametrize(
    ("error", "reason"),
    [(BrokerError("Nobody is there."), "Nobody is there."), (TimeoutError(), "not answered in")],
)
def test_what_cannot_be_compared_is_believed(
    kafka: Cluster, caplog: pytest.LogCaptureFixture, error: Exception, reason: str
) -> None:
    kafka.error = error
    assert moved(table(), 55) == {}
    assert f"and is believed: {reason}" in caplog.text


def test_requests_that_were_deleted_unanswered_are_named(
    kafka: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    kafka.histories[REQUESTS] = History(80, 90)
    assert moved(table(), 55) == {}
    assert "catdogimage/0 from offset 55 to 79 were deleted before" in caplog.text
