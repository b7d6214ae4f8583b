"""Tests of known lag, computed from the brokers' answers, and of unknown lag."""

import asyncio
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.offset import OffsetRequest

from catdog_stream import deadlines
from catdog_stream.delivery.group_lag import GroupLag, PartitionLag

TOPIC, GROUP = "catdogimage", "catdog_stream"
COORDINATOR, LEADER, OTHER = 0, 1, 2
NOT_LEADER = 6


class Cluster:
    """Brokers whose coordinator and leaders may answer or not."""

    def __init__(self) -> None:
        self.now = 100.0
        self.leaders = {0: LEADER, 1: OTHER}
        self.committed: dict[int, int] = {0: 5, 1: 5}
        self.starts = {0: 0, 1: 0}
        self.ends = {0: 12, 1: 5}
        self.stable = {0: 12, 1: 5}
        self.moved: set[int] = set()
        self.dead: set[int] = set()
        self.asked: list[int] = []
        #: Function that is called before a leader answers.
        self.meanwhile: Callable[[], object] = lambda: None
        self.lag = GroupLag(TOPIC, clock=lambda: self.now)

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        assert topic == TOPIC
        return set(self.leaders) or None

    def leader_for_partition(self, tp: Any) -> int:
        return self.leaders[tp.partition]

    async def send(self, node: int, request: Any) -> Any:
        self.asked.append(node)
        if node in self.dead:
            raise KafkaConnectionError
        if node == COORDINATOR:
            assert request._consumer_group == GROUP
            ((_, numbers),) = request._partitions
            found = [(n, self.committed.get(n, -1), "", 0) for n in numbers]
            return SimpleNamespace(topics=[(TOPIC, found)], error_code=0)
        self.meanwhile()
        return SimpleNamespace(topics=[(TOPIC, [self._offset(*each) for each in _of(request)])])

    def _offset(self, number: int, time: int, isolation: int) -> tuple[int, int, int, int]:
        code = NOT_LEADER if number in self.moved else 0
        of = self.starts if time == -2 else self.stable if isolation else self.ends
        return number, code, -1, -1 if code else of[number]

    def look(self) -> Mapping[int, PartitionLag | None]:
        coordinator = SimpleNamespace(coordinator_id=COORDINATOR, group_id=GROUP)
        client = SimpleNamespace(cluster=self, send=self.send)
        asyncio.run(self.lag.look(SimpleNamespace(_client=client, _coordinator=coordinator)))
        return self.lag.now()


def _of(request: OffsetRequest) -> list[tuple[int, int, int]]:
    ((_, asked),) = request._topics
    return [(number, time, request._isolation_level) for number, time in asked]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def test_lag_is_that_of_every_partition_of_the_topic(cluster: Cluster) -> None:
    assert cluster.look() == {0: (7, 7), 1: (0, 0)}


def test_records_of_an_open_transaction_wait_and_cannot_be_read(cluster: Cluster) -> None:
    cluster.stable[0] = 9
    assert cluster.look()[0] == PartitionLag(records=7, readable=4)


def test_where_nothing_was_committed_everything_that_is_kept_waits(cluster: Cluster) -> None:
    cluster.committed, cluster.starts[0] = {}, 4
    assert cluster.look() == {0: (8, 8), 1: (5, 5)}


def test_answers_given_while_it_asks_are_not_subtracted_twice(cluster: Cluster) -> None:
    """Read the end last: records that arrive meanwhile count, and the lag is never too small."""

    def meanwhile() -> None:
        cluster.ends[0] += 1
        cluster.stable[0] += 1
        cluster.committed[0] = cluster.ends[0]

    cluster.meanwhile = meanwhile
    lag = cluster.look()[0]
    assert lag is not None
    assert lag.records >= 7


def test_an_offset_beyond_the_end_is_no_lag_of_zero(cluster: Cluster) -> None:
    """Simulate a lost log, or a new leader that reports an old end for a moment."""
    cluster.committed[1] = 6
    assert cluster.look() == {0: (7, 7), 1: None}


@pytest.mark.parametrize("silent", [COORDINATOR, LEADER])
def test_a_lag_that_cannot_be_asked_holds_a_while_and_is_then_unknown(
    cluster: Cluster, silent: int
) -> None:
    cluster.look()
    cluster.dead = {silent}
    cluster.ends[1] = cluster.stable[1] = 6
    cluster.now += deadlines.LAG_INTERVAL
    assert cluster.look()[0] == (7, 7)
    cluster.now += deadlines.LAG_HOLDS
    lags = cluster.look()
    assert lags == ({0: None, 1: None} if silent == COORDINATOR else {0: None, 1: (1, 1)})


def test_a_broker_that_does_not_answer_is_left_alone_for_a_while(cluster: Cluster) -> None:
    cluster.dead = {LEADER}
    for _ in range(3):
        cluster.look()
        cluster.now += deadlines.LAG_HOLDS / 4
    assert cluster.asked.count(LEADER) == 2  # both requests of the first query
    cluster.dead, cluster.now = set(), cluster.now + deadlines.LAG_HOLDS
    assert cluster.look()[0] == (7, 7)


def test_a_partition_whose_leader_has_moved_is_unknown_and_not_the_others(
    cluster: Cluster,
) -> None:
    cluster.leaders[1], cluster.moved = LEADER, {1}
    assert cluster.look() == {0: (7, 7), 1: None}
    cluster.leaders[1] = -1
    assert cluster.look() == {0: (7, 7), 1: None}


def test_a_topic_that_is_gone_has_no_lag(cluster: Cluster) -> None:
    cluster.look()
    cluster.leaders = {}
    assert cluster.look() == {}


def test_before_the_coordinator_is_known_there_is_no_lag(cluster: Cluster) -> None:
    consumer = SimpleNamespace(
        _client=SimpleNamespace(cluster=cluster, send=cluster.send), _coordinator=None
    )
    asyncio.run(cluster.lag.look(consumer))
    assert cluster.lag.now() == {0: None, 1: None}
    assert cluster.asked == []
