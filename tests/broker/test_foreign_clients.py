"""Tests of foreign clients on the local Kafka: three libraries, each with its default settings."""

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Consumer, Producer
from kafka import KafkaConsumer

from catdog_stream.testing.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.long]

COUNT, SIZE = 400, 120 * 1024
PATIENCE = 60.0
SESSION_SECONDS = 6


def read_with_kafka_python(address: str, topic: str) -> int:
    consumer = KafkaConsumer(topic, bootstrap_servers=address, auto_offset_reset="earliest")
    deadline, count = time.monotonic() + PATIENCE, 0
    while count < COUNT and time.monotonic() < deadline:
        count += sum(len(records) for records in consumer.poll(timeout_ms=500).values())
    consumer.close()
    return count


def read_with_confluent(address: str, topic: str) -> int:
    consumer = Consumer(
        {"bootstrap.servers": address, "group.id": topic, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    deadline, count = time.monotonic() + PATIENCE, 0
    while count < COUNT and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        count += message is not None and message.error() is None
    consumer.close()
    return count


def read_with_aiokafka(address: str, topic: str) -> int:
    import asyncio

    async def read() -> int:
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=address, auto_offset_reset="earliest")
        async with asyncio.timeout(PATIENCE), consumer:
            for _ in range(COUNT):
                await consumer.getone()
        return COUNT

    return asyncio.run(read())


@pytest.fixture(scope="module")
def topic(broker_address: str) -> str:
    """Return a topic that its first record has created, with requests of the usual size in it."""
    name = f"foreign-{uuid.uuid4().hex[:8]}"
    producer = Producer({"bootstrap.servers": broker_address})
    for _ in range(COUNT):
        producer.produce(name, b"x" * SIZE)
        producer.poll(0)
    assert producer.flush(PATIENCE) == 0
    return name


@pytest.mark.parametrize("read", [read_with_kafka_python, read_with_confluent, read_with_aiokafka])
def test_each_client_reads_all_there_is(
    read: Callable[[str, str], int], broker_address: str, topic: str
) -> None:
    assert read(broker_address, topic) == COUNT


@contextmanager
def member(address: str, topic: str, group: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a process that prints its number of partitions whenever that changes."""
    program = (
        "import sys; from kafka import KafkaConsumer; address, topic, group = sys.argv[1:]\n"
        "consumer = KafkaConsumer(topic, bootstrap_servers=address, group_id=group,"
        f" session_timeout_ms={SESSION_SECONDS * 1000}, heartbeat_interval_ms=500)\n"
        "said = None\n"
        "while True:\n"
        "    consumer.poll(timeout_ms=200)\n"
        "    if said != (said := len(consumer.assignment())): print(said, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, address, topic, group], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_member_that_was_killed_is_gone_after_its_session_and_the_next_one_is_assigned(
    broker_address: str, topic: str
) -> None:
    group = f"group-{topic}"

    def has_the_partition(process: "subprocess.Popen[str]") -> bool:
        assert process.stdout is not None
        return process.stdout.readline().strip() == "1"

    with member(broker_address, topic, group) as first:
        wait_until(lambda: has_the_partition(first), "the first member to be assigned", PATIENCE)
        first.kill()
    began = time.monotonic()
    with member(broker_address, topic, group) as second:
        wait_until(lambda: has_the_partition(second), "the second member to be assigned", PATIENCE)
    assert time.monotonic() - began < SESSION_SECONDS + 10
