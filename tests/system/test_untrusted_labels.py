"""Test of foreign labels in ``catdoglabel``: they are counted as foreign, and are harmless."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from catdog_stream.delivery.counting import MAX_NAMES
from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE, Worker
from tests.support.client import LABELS, Client, Message, request

pytestmark = [pytest.mark.integration, pytest.mark.long]

PARTITIONS = 8
NAMES = 2600


async def write_labels(address: str, headers: list[list[tuple[str, bytes]]]) -> None:
    value = orjson.dumps({"label": "Probabilities: fox 99.9% dog 0.1%", "url": "x", "data": None})
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        sent = [
            await producer.send(LABELS, value, partition=number % PARTITIONS, headers=each)
            for number, each in enumerate(headers)
        ]
        await asyncio.gather(*sent)


async def send_pictures(address: str, picture: bytes) -> None:
    async with Client(address) as client:
        messages = [Message(request(picture), partition=number) for number in range(PARTITIONS)]
        await client.answers(await client.send(messages))


def test_forged_sources_and_thousands_of_names_stop_no_count_and_no_worker(
    tmp_path: Path, cat: bytes
) -> None:
    forged = [
        [("source", b"catdogimage/%d/999999999999999999" % number), ("verdict", b"fox")]
        for number in range(PARTITIONS)
    ]
    names = [[("verdict", b"%04d" % number + b"x" * 2000)] for number in range(NAMES)]

    def counted(worker: Worker, total: int) -> dict[str, Any]:
        wait_until(
            lambda: worker.get("/labels/")["total"] == total, f"{total} to be counted", PATIENCE
        )
        return dict(worker.get("/labels/"))

    with own_broker(tmp_path / "broker") as broker:
        with Worker(broker.address, tmp_path) as worker:
            worker.wait_ready()
            asyncio.run(send_pictures(broker.address, cat))
            asyncio.run(write_labels(broker.address, forged))
            counted(worker, 2 * PARTITIONS)
            asyncio.run(send_pictures(broker.address, cat))
            assert counted(worker, 3 * PARTITIONS)["labels"] == {"cat": 16, "fox": 8}
            asyncio.run(write_labels(broker.address, names))
            asyncio.run(send_pictures(broker.address, cat))
            labels = counted(worker, 4 * PARTITIONS + NAMES)["labels"]
            assert labels["cat"] == 24
            assert len(labels) <= PARTITIONS * (MAX_NAMES + 1) + 2
        with Worker(broker.address, tmp_path) as worker:
            worker.wait_ready()
            assert counted(worker, 4 * PARTITIONS + NAMES)["labels"] == labels
