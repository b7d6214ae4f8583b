"""Tests of requests of foreign producers: in every codec, in transactions, and unreadable ones."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import Message as Confirmation
from confluent_kafka import Producer

from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE, Worker
from tests.support.client import REQUESTS, Client, request
from tests.support.fleet import GROUP

pytestmark = pytest.mark.integration

TRANSACTIONS = 40


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_a_request_is_answered_however_it_is_compressed(
    codec: str, worker: Worker, broker_address: str, cat: bytes
) -> None:
    async def scenario() -> None:
        async with Client(broker_address) as client:
            producer = Producer({"bootstrap.servers": broker_address, "compression.type": codec})
            sources = publish(producer, [request(cat, url="a" * 2000)] * 3)
            await client.answers(sources)
            assert client.labels.keys() >= set(sources)

    asyncio.run(scenario())
    assert worker.process.poll() is None


def test_what_was_committed_is_answered_what_was_aborted_is_not_and_offsets_follow_at_once(
    worker: Worker, broker_address: str, cat: bytes
) -> None:
    async def scenario() -> None:
        async with Client(broker_address) as client:
            producer = Producer({"bootstrap.servers": broker_address, "transactional.id": "test"})
            producer.init_transactions(PATIENCE)
            answered, aborted = list[str](), list[str]()
            for number in range(TRANSACTIONS):
                producer.begin_transaction()
                sources = publish(producer, [request(cat)], partition=3)
                if number % 2:
                    producer.abort_transaction()
                    aborted += sources
                else:
                    producer.commit_transaction()
                    answered += sources
            await client.answers(answered)
            assert not (client.labels.keys() | client.rejected.keys()) & set(aborted)
            last = int(aborted[-1].rpartition("/")[2])
            async with asyncio.timeout(10):
                while await committed(broker_address, 3) < last + 2:  # and the marker
                    await asyncio.sleep(0.1)

    asyncio.run(scenario())
    assert worker.process.poll() is None


def test_a_transaction_is_answered_once_it_is_committed_and_not_before(
    worker: Worker, broker_address: str, cat: bytes
) -> None:
    async def scenario() -> None:
        async with Client(broker_address) as client:
            producer = Producer({"bootstrap.servers": broker_address, "transactional.id": "open"})
            producer.init_transactions(PATIENCE)
            producer.begin_transaction()
            (behind,) = publish(producer, [request(cat)], partition=4)
            plain = Producer({"bootstrap.servers": broker_address})
            await client.answers(publish(plain, [request(cat)], partition=2))
            assert behind not in client.labels
            assert worker.get("/readyz") == {"ready": True, "problems": []}
            producer.commit_transaction()
            await client.answers([behind])

    asyncio.run(scenario())


@pytest.mark.long
def test_a_batch_that_cannot_be_read_ends_the_worker_with_its_place(
    tmp_path: Path, cat: bytes
) -> None:
    async def scenario(address: str) -> None:
        async with Client(address) as client:
            await client.answers(
                publish(Producer({"bootstrap.servers": address}), [request(cat)] * 3, 5)
            )

    with own_broker(tmp_path / "broker") as broker:
        with Worker(broker.address, tmp_path) as worker:
            worker.wait_ready()
            asyncio.run(scenario(broker.address))
        publish(Producer({"bootstrap.servers": broker.address}), [b"x" * 1000], 5)
        broker.stop()
        (segment,) = (tmp_path / "broker" / "data" / f"{REQUESTS}-5").glob("*.log")
        content = bytearray(segment.read_bytes())
        content[-500] ^= 0xFF
        segment.write_bytes(content)
        broker.start()
        with Worker(broker.address, tmp_path) as worker:
            wait_until(lambda: worker.process.poll() is not None, "the worker's end", PATIENCE)
            assert worker.process.returncode == 1
            log = worker.log.read_text()
    assert f"Error: The records of {REQUESTS}, partition 5, from offset 3 on cannot be read" in log
    assert "Traceback" not in log


def publish(producer: Producer, values: list[bytes], partition: int = -1) -> list[str]:
    """Send records, wait until Kafka has them, and return the ``source`` of each."""
    sources: list[str] = []

    def confirmed(error: object, message: Confirmation) -> None:
        assert error is None, error
        sources.append(f"{message.topic()}/{message.partition()}/{message.offset()}")

    for value in values:
        producer.produce(REQUESTS, value, partition=partition, on_delivery=confirmed)
    assert producer.flush(PATIENCE) == 0
    return sources


async def committed(address: str, partition: int) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(GROUP)
        return int(offsets[TopicPartition(REQUESTS, partition)].offset)
    finally:
        await admin.close()
