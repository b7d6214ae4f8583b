"""Tests of a group that refuses a worker, and of a group that refuses its counts."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from catdog_stream.broker import LocalKafka
from catdog_stream.kafka.bounded_reader import extent
from catdog_stream.settings import Settings
from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import LABELS, REQUESTS, Client, request
from tests.support.fleet import GROUP
from tests.support.pictures import LOOKING, RED

pytestmark = [pytest.mark.integration, pytest.mark.long]


def test_a_foreign_member_is_named_and_a_limit_for_metadata_ends_the_worker(tmp_path: Path) -> None:
    limit = {"offset.metadata.max.bytes": "700"}
    with LocalKafka(free_ports(1)[0], tmp_path / "broker", extra=limit) as broker:
        asyncio.run(_scenario(broker, tmp_path))


async def _scenario(broker: LocalKafka, folder: Path) -> None:
    foreign = AIOKafkaConsumer(REQUESTS, bootstrap_servers=broker.address, group_id=GROUP)
    await foreign.start()  # the broker creates the topic
    try:
        while not foreign.assignment():
            await asyncio.sleep(0.1)
        with Worker(broker.address, folder, module=LOOKING) as worker:

            def is_named() -> bool:
                problems = worker.get("/readyz")["problems"] if worker.status("/readyz") else []
                return any(f"The group {GROUP} does not take this worker" in p for p in problems)

            await asyncio.to_thread(wait_until, is_named, "the foreign member to be named")
            assert worker.status("/healthz") == 200
            async with Client(broker.address) as client:
                await client.send([request(RED)])
            await foreign.stop()
            assert await asyncio.to_thread(worker.process.wait, 30) == 1
            log = worker.log.read_text()
            assert "set offset.metadata.max.bytes=4096" in log
            assert "Traceback" not in log
    finally:
        await foreign.stop()
    cluster = Settings(broker=f"kafka://{broker.address}").cluster
    assert len(await extent(cluster, LABELS, 8)) == 0, "no request was taken"
