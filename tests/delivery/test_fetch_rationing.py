"""Tests of fetch requests: their topics, and their frequency."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition
from faust.types import TP

from catdog_stream.delivery.fetch_rationing import LESS_POLLED_INTERVAL, RationedFetching

URGENT, PATIENT = TopicPartition("catdogimage", 0), TopicPartition("catdoglabel", 0)


@dataclass
class Position:
    has_valid_position: bool = True


@dataclass
class Assignment:
    positions: dict[TopicPartition, Position]

    @property
    def tps(self) -> Iterable[TopicPartition]:
        return self.positions.keys()

    def state_value(self, partition: TopicPartition) -> Position:
        return self.positions[partition]


@dataclass
class Request:
    topics: list[tuple[str, list[tuple[int, int, int]]]]


@dataclass
class Scenario:
    """Fetcher that reads two partitions of one node."""

    now: float = 0.0
    paused: set[TP] = field(default_factory=set)
    in_flight: bool = False
    positions: dict[TopicPartition, Position] = field(
        default_factory=lambda: {URGENT: Position(), PATIENT: Position()}
    )

    def __post_init__(self) -> None:
        self._fetching = RationedFetching(
            self._plan,
            is_paused=self.paused.__contains__,
            less_polled_topics={PATIENT.topic},
            clock=lambda: self.now,
        )

    def _plan(self, assignment: Any) -> tuple[Any, ...]:
        topics = [(tp.topic, [(tp.partition, 0, 1)]) for tp in assignment.tps]
        return ([] if self.in_flight or not topics else [(0, Request(topics))],)

    def asked(self) -> set[str]:
        """Return the topics of the next request."""
        (requests,) = self._fetching(Assignment(self.positions))
        return {topic for _, request in requests for topic, _ in request.topics}


def test_a_topic_that_can_wait_is_asked_for_once_in_an_interval() -> None:
    scenario = Scenario()
    assert scenario.asked() == {URGENT.topic, PATIENT.topic}
    scenario.now += LESS_POLLED_INTERVAL * 0.9
    assert scenario.asked() == {URGENT.topic}
    scenario.now += LESS_POLLED_INTERVAL * 0.2
    assert scenario.asked() == {URGENT.topic, PATIENT.topic}


def test_its_turn_is_not_over_while_the_node_is_busy_with_another_request() -> None:
    scenario = Scenario(in_flight=True)
    assert scenario.asked() == set()
    scenario.in_flight = False
    assert scenario.asked() == {URGENT.topic, PATIENT.topic}


def test_a_paused_partition_is_not_asked_for() -> None:
    scenario = Scenario()
    scenario.paused.add(TP(*URGENT))
    assert scenario.asked() == {PATIENT.topic}
    scenario.paused.clear()
    assert URGENT.topic in scenario.asked()


def test_a_position_is_looked_up_whatever_is_paused() -> None:
    """Look up the position, because a seek waits for it, and recovery waits for the seek."""
    scenario = Scenario(positions={URGENT: Position(has_valid_position=False)})
    scenario.paused.add(TP(*URGENT))
    assert scenario.asked() == {URGENT.topic}
