"""Tests of a record that Kafka refuses: an idempotent producer loses no other record."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, OutOfOrderSequenceNumber
from aiokafka.producer import sender

from catdog_stream.kafka.cluster import create_topics
from catdog_stream.patches import refused_batches
from catdog_stream.settings import Settings
from tests.support.configured import configured
from tests.support.names import REQUESTS

pytestmark = pytest.mark.integration

(ORIGINAL,) = refused_batches.FreeingHandler.__bases__


async def _send_around_a_large_one(address: str) -> None:
    await create_topics(Settings(broker=f"kafka://{address}").cluster)
    producer = AIOKafkaProducer(
        bootstrap_servers=address, enable_idempotence=True, max_request_size=10_000_000
    )
    await producer.start()
    try:
        for round_ in range(3):
            await producer.send_and_wait(REQUESTS, b"garbage", partition=0)
            with pytest.raises(MessageSizeTooLargeError):
                await producer.send_and_wait(REQUESTS, bytes(100_000 + round_), partition=0)
        many = [
            await producer.send(REQUESTS, bytes(size), partition=0) for size in (9, 99_999, 9, 9)
        ]
        results = await asyncio.gather(*many, return_exceptions=True)
        assert [type(result).__name__ for result in results] == [
            *("RecordMetadata", "MessageSizeTooLargeError", "RecordMetadata", "RecordMetadata")
        ]
    finally:
        await producer.stop()


def test_aiokafka_refuses_all_that_follows(
    broker_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "SendProduceReqHandler", ORIGINAL)
    with (
        configured(broker_address, REQUESTS, max_message_bytes=50_000),
        pytest.raises(OutOfOrderSequenceNumber),
    ):
        asyncio.run(_send_around_a_large_one(broker_address))


def test_the_next_record_is_written(broker_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "SendProduceReqHandler", refused_batches.FreeingHandler)
    with configured(broker_address, REQUESTS, max_message_bytes=50_000):
        asyncio.run(_send_around_a_large_one(broker_address))
