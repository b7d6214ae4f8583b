"""Tests of topics that get more partitions while a worker runs."""

import asyncio
import time
from pathlib import Path

import pytest

from catdog_stream.kafka.cluster import grow, topic_partitions
from catdog_stream.settings import Settings
from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.worker import Worker
from tests.support.client import LABELS, REQUESTS, Client, Message, request

pytestmark = [pytest.mark.integration, pytest.mark.long]

ADDED = 12
ANSWERED = 30.0


def test_partitions_that_are_added_are_answered_and_counted(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, cat: bytes
) -> None:
    with own_broker(tmp_path_factory.mktemp("broker")) as broker:
        cluster = Settings(broker=f"kafka://{broker.address}").cluster

        async def add(topic: str) -> None:
            await grow(cluster, topic, ADDED)
            await grow(cluster, topic, ADDED - 1)  # the topic has them already
            assert (await topic_partitions(cluster))[topic] == ADDED

        async def send(seconds: float) -> None:
            messages = [Message(request(cat), partition=number) for number in range(ADDED)]
            async with Client(broker.address) as client:
                await client.answers(await client.send(messages), seconds)

        with Worker(broker.address, tmp_path) as worker:
            worker.wait_ready()
            asyncio.run(add(REQUESTS))
            began = time.monotonic()
            asyncio.run(send(ANSWERED))
            print(f"answered after {time.monotonic() - began:.1f} s")
            assert worker.terminate() == 0
        asyncio.run(add(LABELS))
        with Worker(broker.address, tmp_path) as worker:
            worker.wait_ready()
            asyncio.run(send(ANSWERED))
            assert worker.process.poll() is None
