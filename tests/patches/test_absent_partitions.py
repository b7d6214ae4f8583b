"""Tests of a record for a partition that is added later: it is written then."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from catdog_stream.patches import absent_partitions

pytestmark = pytest.mark.integration

SECONDS = 20.0


Scenario = Callable[[AIOKafkaProducer, AIOKafkaAdminClient, str], Awaitable[None]]


def in_a_new_topic(broker_address: str, scenario: Scenario, **options: Any) -> None:
    """Run ``scenario(producer, admin, name)`` with a topic of one partition."""

    async def run() -> None:
        name = f"absent-{uuid.uuid4().hex[:8]}"
        admin = AIOKafkaAdminClient(bootstrap_servers=broker_address)
        producer = AIOKafkaProducer(bootstrap_servers=broker_address, **options)
        await admin.start()
        await producer.start()
        try:
            await admin.create_topics([NewTopic(name, 1, 1)])
            await scenario(producer, admin, name)
        finally:
            await producer.stop()
            await admin.close()

    asyncio.run(asyncio.wait_for(run(), SECONDS))


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AIOKafkaProducer, "send", AIOKafkaProducer.send)  # restored afterwards
    absent_partitions.install()


@pytest.mark.usefixtures("mended")
def test_a_record_waits_until_its_partition_is_there(broker_address: str) -> None:
    async def scenario(producer: AIOKafkaProducer, admin: AIOKafkaAdminClient, name: str) -> None:
        await producer.send_and_wait(name, b"first", partition=0)
        sending = asyncio.create_task(producer.send_and_wait(name, b"second", partition=1))
        await asyncio.sleep(3 * absent_partitions.PAUSE)
        assert not sending.done()
        await admin.create_partitions({name: NewPartitions(2)})
        assert (await sending).partition == 1

    in_a_new_topic(broker_address, scenario)


@pytest.mark.usefixtures("mended")
def test_a_partition_that_never_comes_is_an_unknown_one(broker_address: str) -> None:
    async def scenario(producer: AIOKafkaProducer, _: AIOKafkaAdminClient, name: str) -> None:
        with pytest.raises(UnknownTopicOrPartitionError):
            await producer.send(name, b"nowhere", partition=1)

    in_a_new_topic(broker_address, scenario, request_timeout_ms=1000)


def test_aiokafka_calls_the_record_wrong(broker_address: str) -> None:
    """Remove the patch when this fails: see docs/upstream.md."""

    async def scenario(producer: AIOKafkaProducer, _: AIOKafkaAdminClient, name: str) -> None:
        with pytest.raises(AssertionError, match="Unrecognized partition"):
            await absent_partitions._original(producer, name, b"record", partition=1)

    in_a_new_topic(broker_address, scenario)
