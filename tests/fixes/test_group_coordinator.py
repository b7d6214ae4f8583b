"""A consumer joins knowing its topics; and again as who it is, unless the broker forgot it."""

import asyncio
import uuid
from collections.abc import Callable, Sequence

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.consumer import consumer as aiokafka_consumer

from catdog_stream.broker.protocol import evict_members, group_members
from catdog_stream.fixes import group_coordinator

pytestmark = pytest.mark.integration

DEADLINE = 30.0  # seconds; with the fix a test takes less than one


@pytest.fixture(autouse=True)
def fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs the fix for one test."""
    stock = aiokafka_consumer.GroupCoordinator
    monkeypatch.setattr(aiokafka_consumer, "GroupCoordinator", stock)  # puts it back afterwards
    group_coordinator.install()


def test_a_second_consumer_joins_and_leaves_no_phantom_behind(broker_address: str) -> None:
    async def scenario() -> None:
        group = await _create_topic(broker_address)
        async with _consumer(broker_address, group) as first:
            await _until(lambda: len(first.assignment()) == 2)
            before = _member_ids(broker_address, group)
            async with _consumer(broker_address, group) as second:
                await _until(lambda: len(first.assignment()) == len(second.assignment()) == 1)
                together = _member_ids(broker_address, group)
                assert len(together) == 2
                assert before < together

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_a_consumer_that_the_broker_forgot_joins_as_a_new_one(broker_address: str) -> None:
    async def scenario() -> None:
        group = await _create_topic(broker_address)
        async with _consumer(broker_address, group) as consumer:
            await _until(lambda: len(consumer.assignment()) == 2)
            host, _, port = broker_address.rpartition(":")
            evicted = set(evict_members(host, int(port), group))
            await _until(lambda: bool(_member_ids(broker_address, group)))
            assert evicted.isdisjoint(_member_ids(broker_address, group))

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_a_consumer_that_joins_early_gets_the_partitions_of_topics_that_are_being_created(
    broker_address: str,
) -> None:
    """Brokers create what they are asked about. Apache Kafka answers before it has, and only
    there does this fail without the repair.
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


async def _create_topic(address: str) -> str:
    """Creates a topic of two partitions; the group that reads it has the same name."""
    name = f"coordinator-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1)])
    await admin.close()
    return name


def _consumer(address: str, group: str, topics: Sequence[str] | None = None) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        *((group,) if topics is None else topics),
        bootstrap_servers=address,
        group_id=group,
        session_timeout_ms=6_000,
        heartbeat_interval_ms=200,
        rebalance_timeout_ms=6_000,
    )


def _member_ids(address: str, group: str) -> set[str]:
    host, _, port = address.rpartition(":")
    return {member.member_id for member in group_members(host, int(port), group)}


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.02)
