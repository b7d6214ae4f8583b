"""Tests that a consumer knows its topics when it joins."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.cluster import ClusterMetadata
from aiokafka.consumer import consumer as aiokafka_consumer
from aiokafka.consumer import group_coordinator as aiokafka_group
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import InconsistentGroupProtocolError

from catdog_stream.patches import group_coordinator

pytestmark = pytest.mark.integration

PARTITIONS = 2
DEADLINE = 30.0  # seconds; with the fix a test takes less than one


@pytest.fixture(autouse=True)
def fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the fix for one test."""
    stock = aiokafka_consumer.GroupCoordinator
    monkeypatch.setattr(aiokafka_consumer, "GroupCoordinator", stock)  # puts it back afterwards
    group_coordinator.install()


def test_a_consumer_that_joins_early_gets_the_partitions_of_topics_that_are_being_created(
    broker_address: str,
) -> None:
    """Join while the broker still creates the topics that were requested.

    Apache Kafka answers before it has created them; only there does this fail without the repair.
    """

    async def scenario() -> None:
        group = await _create_topic(broker_address)
        async with _consumer(broker_address, group, topics=()) as consumer:
            consumer.subscribe([group, f"{group}-new"])
            await _until(lambda: bool(consumer.assignment()))
            assert {partition.topic for partition in consumer.assignment()} == {
                group,
                f"{group}-new",
            }

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_a_member_that_is_refused_joins_once_the_foreign_one_has_left(broker_address: str) -> None:
    async def scenario() -> None:
        group = await _create_topic(broker_address)
        foreign = _consumer(broker_address, group, partition_assignment_strategy=(Foreign,))
        async with foreign:
            await _until(lambda: bool(foreign.assignment()))
            async with _consumer(broker_address, group, topics=()) as consumer:
                consumer.subscribe([group])
                coordinator = consumer._coordinator
                await _until(lambda: coordinator.refused is not None)
                assert f"The group {group} does not take this worker: another program" in (
                    coordinator.refused
                )
                await foreign.stop()
                await _until(lambda: len(consumer.assignment()) == PARTITIONS)
                assert coordinator.refused is None

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_aiokafka_gives_up(broker_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (stock,) = group_coordinator.MendedGroupCoordinator.__bases__
    monkeypatch.setattr(aiokafka_consumer, "GroupCoordinator", stock)

    async def scenario() -> None:
        group = await _create_topic(broker_address)
        foreign = _consumer(broker_address, group, partition_assignment_strategy=(Foreign,))
        async with foreign:
            await _until(lambda: bool(foreign.assignment()))
            async with _consumer(broker_address, group, topics=()) as consumer:
                consumer.subscribe([group])
                coordinator = consumer._coordinator
                await _until(lambda: coordinator._error_consumed_fut is not None)
                assert isinstance(coordinator._pending_exception, InconsistentGroupProtocolError)

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


class Foreign(RoundRobinPartitionAssignor):  # type: ignore[misc]  # aiokafka is untyped
    """Assignor that no worker knows."""

    name = "foreign"


async def _create_topic(address: str) -> str:
    """Create a topic of two partitions; the group that reads it has the same name."""
    name = f"coordinator-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(name, num_partitions=PARTITIONS, replication_factor=1)])
    await admin.close()
    return name


def _consumer(
    address: str, group: str, topics: Sequence[str] | None = None, **options: Any
) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        *((group,) if topics is None else topics),
        bootstrap_servers=address,
        group_id=group,
        session_timeout_ms=6_000,
        heartbeat_interval_ms=200,
        rebalance_timeout_ms=6_000,
        **options,
    )


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.02)


def test_aiokafka_joins_without_knowing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the patch when this fails: see docs/upstream.md."""
    joined = []

    class Rebalance:
        def __init__(self, *_: object) -> None:
            """Do nothing: the real one would send requests to the coordinator."""

        async def perform_group_join(self) -> None:
            joined.append(True)

    (stock,) = group_coordinator.MendedGroupCoordinator.__bases__
    monkeypatch.setattr(aiokafka_group, "CoordinatorGroupRebalance", Rebalance)
    member: Any = stock.__new__(stock)
    member._cluster = ClusterMetadata()  # without topics
    member.group_id = member.coordinator_id = "group"
    member._assignors = ()
    member._session_timeout_ms = member._retry_backoff_ms = 1
    subscription = SimpleNamespace(topics={"unknown"}, active=True)
    asyncio.run(asyncio.wait_for(member._do_rejoin_group(subscription), 1.0))
    assert joined


def test_aiokafka_counts_a_member_without_partitions_as_idle() -> None:
    """Remove the patch when this fails: see docs/upstream.md."""
    (stock,) = group_coordinator.Subscriptions.__bases__

    async def scenario() -> None:
        stock_state, ours = stock(), group_coordinator.Subscriptions()
        for state in (stock_state, ours):
            state.subscribe({"topic"})
            state._last_fetch_ended -= 1000.0
        assert stock_state.fetcher_idle_time >= 1000.0
        assert ours.fetcher_idle_time >= 1000.0, "nobody knows better"
        ours.idle_seconds = lambda: 1.5
        assert ours.fetcher_idle_time == 1.5

    asyncio.run(scenario())
