"""Tests that a producer keeps the metadata of its topics when it reads that of others."""

import asyncio
import uuid

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.structs import PartitionMetadata

from catdog_stream.patches import tracked_topics

pytestmark = pytest.mark.integration

SECONDS = 10.0
#: Long enough for the metadata of another topic to be requested.
LINGER_MS = 1000


def test_a_record_is_sent_though_the_producer_hears_of_another_topic_first(
    broker_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = AIOKafkaClient._wait_on_metadata
    monkeypatch.setattr(AIOKafkaClient, "_wait_on_metadata", stock)  # puts it back afterwards
    tracked_topics.install()

    async def scenario() -> None:
        name = f"tracked-{uuid.uuid4().hex[:8]}"
        admin = AIOKafkaAdminClient(bootstrap_servers=broker_address)
        producer = AIOKafkaProducer(bootstrap_servers=broker_address, linger_ms=LINGER_MS)
        await admin.start()
        await admin.create_topics([NewTopic(name, 1, 1)])
        await producer.start()
        try:
            while not producer.client.cluster.partitions_for_topic(name):
                await producer.client.force_metadata_update()
            await admin.create_topics([NewTopic(f"{name}-later", 1, 1)])
            first = await producer.send(name, b"waits")
            await producer.send(f"{name}-later", b"is new")
            assert not first.done(), "it was to wait while the other topic was looked for"
            assert (await first).offset == 0
        finally:
            await producer.stop()
            await admin.close()

    asyncio.run(asyncio.wait_for(scenario(), SECONDS))


def test_aiokafka_does_not_track_what_it_knows() -> None:
    """Remove the patch when this fails: see docs/upstream.md."""

    async def scenario() -> None:
        client = AIOKafkaClient()
        client.cluster._partitions = {
            "known": {0: PartitionMetadata("known", 0, 1, [1], [1], None)}
        }
        assert await tracked_topics._original(client, "known") == {0}
        assert "known" not in client._topics

    asyncio.run(scenario())
