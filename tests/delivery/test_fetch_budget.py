"""Tests of the budget of fetched requests, and of the times of new fetches."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from faust.types import TP

from catdog_stream.delivery.fetch_budget import LOOK_AGAIN, OTHERS_WAIT, FetchBudget

FETCH, MOST = 10, 40
REQUESTS, LABELS = TP("catdogimage", 0), TP("catdoglabel", 0)


@dataclass
class Request:
    topics: list[tuple[str, list[int]]]
    _max_wait_ms: int = 250


@dataclass
class Fetcher:
    """Fields of aiokafka's fetcher that the budget uses."""

    _in_flight: set[int] = field(default_factory=set)
    _records: dict[TopicPartition, Any] = field(default_factory=dict)
    _fetch_max_bytes: int = 50


def record(offset: int, size: int) -> Any:
    return SimpleNamespace(offset=offset, key=None, value=bytes(size - 3), headers=(("a", b"bc"),))


def watching() -> tuple[FetchBudget, Fetcher]:
    budget, fetcher = FetchBudget({REQUESTS.topic}, fetch=FETCH, most=MOST), Fetcher()
    budget.watch(fetcher)
    return budget, fetcher


def asked(budget: FetchBudget, *topics: tuple[int, str]) -> set[int]:
    """Return the brokers that get a fetch request now."""
    requests = [(node, Request([(topic, [0])])) for node, topic in topics]
    return {node for node, _ in budget.limited((requests, {}, 0.2, False, []))[0]}


def test_one_fetch_is_limited() -> None:
    assert watching()[1]._fetch_max_bytes == FETCH


def test_nothing_more_is_fetched_until_enough_is_answered() -> None:
    budget, _ = watching()
    budget.take({REQUESTS: [record(offset, 8) for offset in range(4)]})
    assert budget.held == 32
    assert budget.left_out() == {REQUESTS.topic}
    budget.release(REQUESTS, 2)
    assert not budget.left_out()
    budget.release(REQUESTS, 2)
    assert budget.held == 24, "it is answered once"
    budget.take({REQUESTS: [record(3, 8)], LABELS: [record(0, 100)]})
    assert budget.held == 24, "it was fetched again, and labels do not count"
    budget.clear()
    assert budget.held == 0


def test_one_record_may_be_larger_than_all() -> None:
    budget, _ = watching()
    budget.take({REQUESTS: [record(0, 100)]})
    assert budget.left_out()
    budget.release(REQUESTS, 0)
    assert not budget.left_out()


def test_no_more_brokers_are_asked_at_a_time_than_there_is_room_for() -> None:
    budget, fetcher = watching()
    requests = [(node, REQUESTS.topic) for node in range(10)]
    first = asked(budget, *requests)
    assert len(first) == MOST // FETCH
    fetcher._in_flight |= first
    assert asked(budget, *requests) == set()
    assert asked(budget, (11, LABELS.topic)) == {11}
    fetcher._in_flight.clear()
    assert len(asked(budget, *requests)) == MOST // FETCH


def test_each_broker_has_its_turn() -> None:
    turns = set[int]()
    for _ in range(200):
        turns |= asked(watching()[0], *((node, REQUESTS.topic) for node in range(10)))
    assert turns == set(range(10))


def test_others_are_not_waited_for_where_there_is_no_room() -> None:
    budget, _ = watching()
    labels = Request([(LABELS.topic, [0])])
    actions = budget.limited(([(0, labels)], {}, 0.2, False, []))
    assert (labels._max_wait_ms, actions[2]) == (250, 0.2)
    budget.take({REQUESTS: [record(0, MOST)]})
    actions = budget.limited(([(0, labels)], {}, 0.2, False, []))
    assert (labels._max_wait_ms, actions[2]) == (OTHERS_WAIT * 1000, LOOK_AGAIN)
