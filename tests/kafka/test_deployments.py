"""Tests of deployments of stacks: parsing, rollback, and untrusted records."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from catdog_stream.kafka import deployments
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.deployments import (
    HISTORY,
    MAX_BYTES,
    MAX_STACK,
    MAX_TEXT,
    NONE,
    Deployment,
    Past,
    Report,
    RolloutState,
    deploy,
    follow,
    forget,
    report,
    rollout_state,
)
from catdog_stream.kafka.names import Names
from catdog_stream.kafka.rollout_status import Outcome, Running
from catdog_stream.settings import Settings

SECONDS = 60.0
PAST = b'{"order": 1, "stack": "a/1", "served": true}'
HOSTILE: list[tuple[bytes | None, bytes | None]] = [
    (b"use", b"not JSON"),
    (b"use", b"[]"),
    (b"use", b"7"),
    (b"use", b"{}"),
    (b"use", b'{"stack": 7}'),
    (b"use", b'{"stack": "%s"}' % (b"x" * (MAX_STACK + 1))),
    (b"use", b'{"stack": "a/1", "history": 3}'),
    (b"use", b'{"stack": "a/1", "history": [3]}'),
    (b"use", b'{"stack": "a/1", "history": [%s]}' % PAST.replace(b"1,", b"true,")),
    (b"use", b'{"stack": "a/1", "more": "%s"}' % (b"x" * MAX_BYTES)),
    (b"use", b"[" * 5000),
    (b"use", None),
    (b"\xff", b'{"order": 1, "stack": "x", "problem": null}'),
    (b"worker", b'{"order": "?", "stack": "x", "problem": null}'),
    (b"worker", b'{"order": 1e400, "stack": "x", "problem": null}'),
    (b"worker", b'{"order": 1}'),
    (b"w" * 2000, b'{"order": 1, "stack": "x", "problem": null}'),
    (b"unknown", None),
]


@pytest.fixture
def address(broker_address: str) -> str:
    return broker_address


def play(address: str, scenario: Callable[[ClusterConfig], Awaitable[None]]) -> None:
    """Play a scenario on a cluster with an empty topic of deployments."""
    names = replace(Names(), stacks=f"orders-{uuid4()}")
    cluster = Settings(broker=f"kafka://{address}", names=names).cluster
    asyncio.run(asyncio.wait_for(scenario(cluster), SECONDS))


@pytest.mark.integration
def test_the_voters_of_a_name_have_orders_of_their_own(address: str) -> None:
    async def scenario(cluster: ClusterConfig) -> None:
        ours = await deploy(cluster, "pets/1", ())
        theirs = await deploy(cluster, "lite/1", (), "lite")
        await report(cluster, Report("http://one", theirs.offset, "lite 1"), "lite")
        assert await rollout_state(cluster) == RolloutState(ours, served=False)
        told = await rollout_state(cluster, "lite")
        assert (told.deployment, told.served) == (theirs, True)
        assert await rollout_state(cluster, "inception_v3") == RolloutState()
        async for news in follow(cluster, 0, "lite"):
            assert news == theirs
            break
        await forget(cluster, ["http://one"], "lite")
        assert (await rollout_state(cluster, "lite")).reports == {}

    play(address, scenario)


@pytest.mark.integration
def test_the_last_order_is_in_force_whatever_else_stands_there(address: str) -> None:
    async def scenario(cluster: ClusterConfig) -> None:
        nothing = await rollout_state(cluster)
        assert nothing == RolloutState()
        first = await deploy(cluster, "pets/1", nothing.next_history())
        said = Report("http://one", first.offset, "pets 1")
        await report(cluster, said)
        now = await rollout_state(cluster)
        assert now.served
        second = await deploy(cluster, "pets/2", now.next_history())
        async with AIOKafkaProducer(bootstrap_servers=address) as producer:
            for key, value in HOSTILE:
                await producer.send_and_wait(cluster.names.stacks, value, key=key, partition=0)
        now = await rollout_state(cluster)
        assert now.deployment == second
        assert not now.served, "nobody has said so"
        assert now.reports == {"http://one": said}
        long = Report("http://two", second.offset, "pets 1", problem="x" * 10 * MAX_TEXT)
        await report(cluster, long)
        third = await deploy(cluster, None, [Past(0, "x", served=True)] * 2 * HISTORY)
        assert len(third.history) == HISTORY
        await forget(cluster, ["http://one"])
        assert list((await rollout_state(cluster)).reports) == ["http://two"]
        news = []
        async for each in follow(cluster, 0):
            news.append(each)
            if each == third:
                break
        cut = Report("http://two", second.offset, "pets 1", problem="x" * MAX_TEXT)
        assert news == [first, said, second, cut, third]

    play(address, scenario)


@pytest.mark.integration
def test_orders_given_at_the_same_moment_and_reports_that_came_late_are_known(
    address: str,
) -> None:
    async def scenario(cluster: ClusterConfig) -> None:
        at_first = (await rollout_state(cluster)).next_history()
        one, two = [await deploy(cluster, stack, at_first) for stack in ("pets/1", "pets/2")]
        for order, name in ((one, "pets 1"), (two, "pets 2")):
            await report(cluster, Report("http://a", order.offset, name))
        now = await rollout_state(cluster)
        assert now.deployment == two
        assert [past.stack for past in now.history] == ["pets/1", None]
        assert all(past.served for past in now.history)

    play(address, scenario)


def history(*entries: tuple[str | None, bool]) -> tuple[Past, ...]:
    """Return past deployments, the last one first."""
    return tuple(
        Past(len(entries) - place, stack, served=served)
        for place, (stack, served) in enumerate(entries)
    )


def read(key: bytes | None, value: bytes | None) -> Deployment | Report | None:
    size = len(value or b"")
    return deployments._parse(ConsumerRecord("orders", 0, 7, 0, 0, key, value, None, 0, size, ()))


@pytest.mark.parametrize(("key", "value"), HOSTILE)
def test_what_other_clients_write_is_nothing(key: bytes | None, value: bytes | None) -> None:
    assert read(key, value) is None


def test_records_of_other_versions_are_read() -> None:
    assert read(b"use", b'{"stack": null}') == Deployment(7, None)
    assert read(b"use", b'{"stack": "a/2", "history": [%s], "offset": 1, "more": 1e99}' % PAST) == (
        Deployment(7, "a/2", (Past(1, "a/1", served=True),))
    )
    assert read(b"one", b'{"order": 1, "stack": "x", "problem": null}') == Report("one", 1, "x")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"use", b"[]", "the document must be an object, not []"),
        (b"use", b'{"stack": 7}', "stack must be a text of a length of at most 200 or null, not 7"),
        (b"use", b'{"stack": "a/1", "history": [%s]}' % PAST.replace(b"true", b"1"),
         "history[0].served must be true or false, not 1"),
        (b"one", b'{"order": -2, "stack": "x"}',
         "order must be a whole number from -1 to 9223372036854775807, not -2"),
    ],
)  # fmt: skip
def test_the_log_names_record_field_value_and_what_is_expected(
    key: bytes, value: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        assert read(key, value) is None
    assert caplog.messages == [f"The record orders/0/7 is no deployment and no report: {reason}."]


def test_one_goes_back_to_what_served_and_each_time_further() -> None:
    past = history(("b/3", False), ("b/2", True), ("b/1", False), ("b/0", True), (None, True))
    now = RolloutState(Deployment(9, "b/4"), {}, past, served=True)
    for stack in ("b/2", "b/0", None):
        back = now.rollback()
        assert back is not None
        assert back[0] == stack
        order = Deployment(now.deployment.offset + 1 if now.deployment else 0, back[0], back[1])
        now = RolloutState(order, {}, order.history, served=True)
    assert now.rollback() is None


def test_after_a_rollback_the_next_order_is_taken_back_to_where_that_led() -> None:
    now = RolloutState(Deployment(9, "b/2"), {}, history(("b/1", True), (None, True)), served=True)
    back = now.rollback()
    assert back is not None
    now = RolloutState(Deployment(10, "b/1"), {}, back[1], served=True)
    now = RolloutState(Deployment(11, "b/3"), {}, now.next_history(), served=True)
    again = now.rollback()
    assert again is not None
    assert again[0] == "b/1"


def test_a_refused_order_is_taken_back_to_what_went_on_and_the_same_one_twice_is_one() -> None:
    past = history(("b/2", True), ("b/2", True), ("b/1", True))
    refused = RolloutState(Deployment(9, "b/3"), {}, past, served=False).rollback()
    twice = RolloutState(Deployment(9, "b/2"), {}, past, served=True).rollback()
    assert refused is not None
    assert twice is not None
    assert (refused[0], twice[0]) == ("b/2", "b/1")


def test_a_worker_that_starts_falls_back_on_what_served_taken_back_or_not() -> None:
    past = history(("b/2", True), ("b/1", False), ("b/2", True), (None, True))
    now = RolloutState(Deployment(9, "b/3"), {}, past, served=True)
    back = now.rollback()
    assert back is not None
    after = RolloutState(Deployment(10, back[0]), {}, back[1], served=False)
    assert list(after.fallbacks()) == ["b/3", "b/2", None]


def test_nothing_to_go_back_to() -> None:
    assert RolloutState().rollback() is None
    assert (
        RolloutState(Deployment(1, None), {}, (Past(NONE, None, served=True),)).rollback() is None
    )


def test_what_became_of_an_order_is_known_once_each_running_worker_has_come_to_an_end() -> None:
    done, loads = Report("http://a", 1, "b 2"), Report("http://b", 1, "b 1", loading="b/2")
    found = Outcome(Running(frozenset({"http://a", "http://b"})), {"http://a": done})
    assert not found.is_settled(is_overdue=False)
    assert found.is_settled(is_overdue=True), "the other one follows no deployments"
    found.received["http://b"] = loads
    assert not found.is_settled(is_overdue=True)
    found.received["http://b"] = Report("http://b", 1, "b 1", problem="No.")
    assert found.is_settled(is_overdue=False)
    assert not found.served
    found.running = Running(frozenset({"http://a"}))  # the other worker was killed
    assert found.served
    found.running = Running(frozenset({"http://a"}), nameless=1)
    assert not found.is_settled(is_overdue=False)
    found.superseded = Deployment(2, "b/3")
    assert found.is_settled(is_overdue=False)


def test_reports_of_made_up_workers_are_not_kept_without_end() -> None:
    latest: dict[str, int] = {}
    for number in range(3 * deployments.MAX_REPORTS):
        deployments._put(latest, f"worker {number}", number)
        deployments._put(latest, "a real one", number)
    assert len(latest) == deployments.MAX_REPORTS
    assert latest["a real one"] == 3 * deployments.MAX_REPORTS - 1
