"""Tests of topics that are deleted while a worker runs."""

import asyncio
import time
from collections.abc import Iterator, Mapping

import pytest
from confluent_kafka.admin import AdminClient

from catdog_stream.broker import LocalKafka
from catdog_stream.kafka.cluster import topic_partitions
from catdog_stream.settings import Settings
from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import LABELS, REJECTED, REQUESTS, Client, Message, request
from tests.support.fleet import nothing_uncommitted
from tests.support.pictures import LOOKING, RED

pytestmark = [pytest.mark.integration, pytest.mark.long]

PARTITIONS = 8
#: Seconds for a worker to continue after a topic was deleted.
RECOVERED = 30.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """Yield a broker with topics that only the tests of this module use."""
    with own_broker(tmp_path_factory.mktemp("broker")) as started:
        yield started


@pytest.fixture(scope="module")
def running(broker: LocalKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Yield a worker that all tests of this file share."""
    with Worker(broker.address, tmp_path_factory.mktemp("worker"), module=LOOKING) as started:
        yield started.wait_ready()


def delete(broker: LocalKafka, *topics: str) -> None:
    client = AdminClient({"bootstrap.servers": broker.address})
    for future in client.delete_topics(list(topics), operation_timeout=20).values():
        future.result(RECOVERED)


def partitions(broker: LocalKafka) -> Mapping[str, int]:
    return asyncio.run(topic_partitions(Settings(broker=f"kafka://{broker.address}").cluster))


async def ask(broker: LocalKafka, values: list[bytes], seconds: float) -> None:
    """Send ``values`` to each partition, and wait until all of them are answered."""
    async with Client(broker.address) as client:
        messages = [Message(value, partition=n) for value in values for n in range(PARTITIONS)]
        await client.answers(await client.send(messages), seconds)


@pytest.mark.parametrize("waiting", [False, True], ids=["at rest", "at work"])
def test_rejections_are_written_again_after_their_topic_was_deleted(
    broker: LocalKafka, running: Worker, waiting: bool
) -> None:
    asyncio.run(ask(broker, [request(RED), b"{"], RECOVERED))
    delete(broker, REJECTED)
    if not waiting:
        wait_until(lambda: partitions(broker).get(REJECTED) == PARTITIONS, "the topic", RECOVERED)
    began = time.monotonic()
    asyncio.run(ask(broker, [b"{", request(RED)], RECOVERED))
    print(f"answered after {time.monotonic() - began:.1f} s")
    assert partitions(broker)[REJECTED] == PARTITIONS
    wait_until(lambda: running.status("/readyz") == 200, "the worker to be ready", RECOVERED)


def test_requests_are_answered_after_their_topic_was_deleted(
    broker: LocalKafka, running: Worker
) -> None:
    asyncio.run(ask(broker, [request(RED)] * 3, RECOVERED))
    asyncio.run(nothing_uncommitted(broker.address))
    before = running.get("/labels/")["total"]
    delete(broker, REQUESTS)
    began = time.monotonic()
    wait_until(lambda: partitions(broker).get(REQUESTS) == PARTITIONS, "the topic", RECOVERED)
    asyncio.run(ask(broker, [request(RED)], RECOVERED))
    print(f"answered after {time.monotonic() - began:.1f} s")
    wait_until(
        lambda: running.get("/labels/")["total"] == before + PARTITIONS, "the counts", RECOVERED
    )
    wait_until(lambda: running.status("/readyz") == 200, "the worker to be ready", RECOVERED)


def test_labels_are_written_again_after_their_topic_was_deleted(
    broker: LocalKafka, running: Worker
) -> None:
    before = running.get("/labels/")["total"]
    delete(broker, LABELS)
    wait_until(lambda: partitions(broker).get(LABELS) == PARTITIONS, "the topic", RECOVERED)
    asyncio.run(ask(broker, [request(RED)], RECOVERED))
    wait_until(
        lambda: running.get("/labels/")["total"] == before + PARTITIONS, "the counts", RECOVERED
    )
    wait_until(lambda: running.status("/readyz") == 200, "the worker to be ready", RECOVERED)
