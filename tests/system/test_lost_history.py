"""Tests of lost offsets and logs of Kafka: no request is skipped or answered twice."""

import asyncio
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from catdog_stream.broker import LocalKafka
from catdog_stream.kafka.bounded_reader import extent
from catdog_stream.settings import Settings
from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import LABELS, REQUESTS, Client, Message, request
from tests.support.fleet import GROUP, nothing_uncommitted
from tests.support.names import NAMES
from tests.support.pictures import LOOKING, RED

pytestmark = pytest.mark.integration

#: Seconds until the loss of a log is noticed and the requests in the log are answered.
ANSWERED = 30.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of this module's broker logs."""
    return tmp_path_factory.mktemp("broker")


@pytest.fixture(scope="module")
def broker(folder: Path) -> Iterator[LocalKafka]:
    """Yield a broker that only the tests of this module break."""
    with own_broker(folder) as started:
        yield started


@contextmanager
def worker(broker: LocalKafka, folder: Path) -> Iterator[Worker]:
    """Yield a worker whose model costs nothing; tests may have caused rebalances in it before."""
    with Worker(broker.address, folder, module=LOOKING) as started:
        yield started.wait_ready()


async def send(broker: LocalKafka, numbers: Iterable[int]) -> None:
    """Send a request to each of the partitions ``numbers``, without waiting for an answer."""
    async with Client(broker.address) as client:
        await client.send(Message(request(RED), partition=number) for number in numbers)


def labels(broker: LocalKafka) -> int:
    """Return the number of labels in Kafka."""
    cluster = Settings(broker=f"kafka://{broker.address}").cluster
    return len(asyncio.run(extent(cluster, LABELS, 8)))


def total(worker: Worker) -> int:
    """Return the number of counted labels."""
    return int(worker.get("/labels/")["total"])


def all_is_counted(worker: Worker, truth: int) -> None:
    wait_until(lambda: total(worker) == truth, f"{truth} labels to be counted", ANSWERED)


def lose(folder: Path, partition: int) -> None:
    """Delete the log of a partition of requests, as the replacement of a disk does."""
    (log,) = folder.rglob(f"{REQUESTS}-{partition}")
    shutil.rmtree(log)


def delete_group(broker: LocalKafka) -> None:
    """Delete the group's offsets, as Kafka does when a group had no member for a week."""
    client = AdminClient({"bootstrap.servers": broker.address})
    client.delete_consumer_groups([GROUP])[GROUP].result(ANSWERED)


def delete_copies(broker: LocalKafka) -> None:
    """Delete the changelogs, too: then only the answers show which requests were answered."""
    client = AdminClient({"bootstrap.servers": broker.address})
    names = [f"{GROUP}-{table}-changelog" for table in NAMES.counted]
    for future in client.delete_topics(names, operation_timeout=20).values():
        future.result(ANSWERED)


@pytest.mark.long
def test_nothing_is_answered_twice_and_nothing_passed_over(
    broker: LocalKafka, folder: Path, tmp_path: Path
) -> None:
    with worker(broker, tmp_path) as first:
        asyncio.run(send(broker, [0] * 30 + [1] * 20 + [2] * 5))
        all_is_counted(first, 55)
        asyncio.run(nothing_uncommitted(broker.address))
    assert labels(broker) == 55

    delete_group(broker)
    with worker(broker, tmp_path) as second:
        assert total(second) == 55
        asyncio.run(send(broker, [0]))
        all_is_counted(second, 56)
        assert labels(broker) == 56
        said = second.log.read_text()
        assert f"no offset of the group {GROUP} for {REQUESTS}/0" in said
        assert "in front of offset 30 were answered" in said
        asyncio.run(nothing_uncommitted(broker.address))

    # Lost disk: the new log has grown beyond the committed offset.
    broker.stop()
    lose(folder, 0)
    broker.start()
    asyncio.run(send(broker, [0] * 40))
    with worker(broker, tmp_path) as third:
        all_is_counted(third, 96)
        assert labels(broker) == 96
        assert f"Kafka has lost records of {REQUESTS}/0: those in front of offset 31" in (
            third.log.read_text()
        )
        asyncio.run(nothing_uncommitted(broker.address))
    with worker(broker, tmp_path) as fourth:
        assert total(fourth) == 96
        assert "lost records" not in fourth.log.read_text(), "it is committed"

        # The same while a worker runs; the new log is shorter than the committed offset.
        broker.stop()
        lose(folder, 0)
        broker.start()
        asyncio.run(send(broker, [0] * 10 + [1]))
        all_is_counted(fourth, 107)
        assert labels(broker) == 107
        assert f"Kafka has lost records of {REQUESTS}/0" in fourth.log.read_text()
        asyncio.run(nothing_uncommitted(broker.address))

    delete_group(broker)
    delete_copies(broker)
    with worker(broker, tmp_path) as fifth:
        all_is_counted(fifth, 10 + 21 + 5)
        said = fifth.log.read_text()
        assert f"nor a copy of its counts for {REQUESTS}/1" in said
        assert "answers to requests up to offset 20 there" in said
        assert "--to-offset 21" in said
