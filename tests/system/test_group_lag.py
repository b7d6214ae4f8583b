"""Tests of the lag that a worker exports: the lag of the whole group, as Kafka computes it."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests
from confluent_kafka import Consumer, Producer, TopicPartition

from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import REQUESTS, Client, Message, request
from tests.support.fleet import GROUP
from tests.support.metrics import samples

pytestmark = [pytest.mark.integration, pytest.mark.long]

PARTITIONS = 8
EACH = 20
NONE = dict.fromkeys(range(PARTITIONS), 0)


def stated(worker: Worker, name: str = "catdog_lag") -> Mapping[int, int]:
    """Return the lag of each partition as a worker exports it."""
    return {int(of["partition"]): int(value) for of, value in samples(worker.port, name)}


def computed(address: str) -> Mapping[int, int]:
    """Return the lag of each partition from its end and committed offset, read by librdkafka."""
    # Kafka's own tool counts up to the end of the log, too.
    options = {"isolation.level": "read_uncommitted"}
    consumer = Consumer({"bootstrap.servers": address, "group.id": GROUP, **options})
    try:
        tps = [TopicPartition(REQUESTS, number) for number in range(PARTITIONS)]
        committed = {tp.partition: max(0, tp.offset) for tp in consumer.committed(tps, 10)}
        ends = {tp.partition: consumer.get_watermark_offsets(tp, 10)[1] for tp in tps}
    finally:
        consumer.close()
    return {number: end - committed[number] for number, end in ends.items()}


def agree(address: str, worker: Worker) -> None:
    """Wait until both are equal: offsets are committed, and lag is computed, at intervals."""
    wait_until(lambda: stated(worker) == computed(address), "the lag to be the one of Kafka")


def nothing_waits(worker: Worker) -> None:
    """Wait until all requests are answered and the transaction markers are passed."""
    wait_until(lambda: stated(worker) == NONE, "everything to be answered")


def waiting(worker: Worker) -> int:
    """Return the number of waiting requests that the page shows."""
    text = requests.get(f"http://127.0.0.1:{worker.port}/", timeout=10).text
    found = re.search(r"([\d,]+) waiting for an answer, in 8 partitions", text)
    assert found is not None, text
    return int(found[1].replace(",", ""))


def test_each_worker_states_the_lag_of_the_whole_group(
    broker_address: str, tmp_path: Path, cat: bytes
) -> None:
    cluster_readiness = tmp_path / "open"
    cluster_readiness.touch()
    settings = {"CATDOG_TEST_GATE": str(cluster_readiness), "CATDOG_INFERENCE_TIMEOUT": "120"}
    module = "tests.support.holding_worker"

    async def send() -> list[str]:
        async with Client(broker_address) as client:
            return await client.send(
                Message(request(cat), partition=number % PARTITIONS)
                for number in range(EACH * PARTITIONS)
            )

    def start() -> Worker:
        return Worker(broker_address, tmp_path, module=module, settings=settings)

    with start() as one, start() as other:
        for each in (one, other):
            each.wait_ready()
            nothing_waits(each)
        cluster_readiness.unlink()
        asyncio.run(send())
        for each in (one, other):
            agree(broker_address, each)
            assert sum(stated(each).values()) > EACH * PARTITIONS * 0.8

        other.pause()
        try:
            before = stated(one)
            asyncio.run(send())
            agree(broker_address, one)
            assert {n: lag - before[n] for n, lag in stated(one).items()} == dict.fromkeys(
                NONE, EACH
            ), "a frozen worker's partitions count as well"
            assert waiting(one) == sum(stated(one).values())
        finally:
            other.kill()

        cluster_readiness.touch()
        nothing_waits(one)
        producer = Producer({"bootstrap.servers": broker_address, "transactional.id": "of-the-lag"})
        producer.init_transactions()
        producer.begin_transaction()
        producer.produce(REQUESTS, request(cat), partition=3)
        producer.flush()
        agree(broker_address, one)
        assert stated(one)[3] == 1
        assert stated(one, "catdog_lag_readable") == NONE
        producer.abort_transaction()
        nothing_waits(one)
