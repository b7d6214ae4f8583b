"""Tests of the agents of ``PipelineApp`` over a restart, kill -9 and a rebalance.

They run with and without Faust's C extension. One app reads a stream in every possible way: no
agent may lose a record, and none may read a record again that was done when the app stopped
cleanly.
"""

import asyncio
import os
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import Self

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from catdog_stream.testing.worker import PATIENCE
from tests.support.command import Command

pytestmark = [pytest.mark.integration, pytest.mark.long]

KINDS = ("events", "items", "take", "group_by", "sink", "two_at_once", "table")
PARTITIONS = 2


class Cluster:
    """Topics of one app: writes its records, reads the records that its agents pass on."""

    def __init__(self, address: str, name: str) -> None:
        self.address, self.name = address, name
        self.passed: Counter[str] = Counter()
        self._sent = 0

    async def __aenter__(self) -> Self:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await self._admin.start()
        names = [f"{self.name}-{kind}" for kind in (*KINDS, "out")]
        await self._admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
        self._producer = AIOKafkaProducer(bootstrap_servers=self.address)
        self._consumer = AIOKafkaConsumer(
            f"{self.name}-out", bootstrap_servers=self.address, auto_offset_reset="earliest"
        )
        await self._producer.start()
        await self._consumer.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._consumer.stop()
        await self._producer.stop()
        await self._admin.close()

    async def send(self, records: int) -> set[str]:
        """Write ``records`` records for each kind and return what the agents must pass on."""
        numbers = range(self._sent, self._sent + records)
        self._sent += records
        for number in numbers:
            for kind in KINDS:
                value = b"%d" % number
                topic, partition = f"{self.name}-{kind}", number % PARTITIONS
                await self._producer.send(topic, value, key=value, partition=partition)
        await self._producer.flush()
        return {f"{kind}:{number}" for kind in KINDS for number in numbers}

    async def read(self, wanted: set[str], share: float = 1.0) -> None:
        """Read until a share of ``wanted`` has been passed on."""
        try:
            async with asyncio.timeout(PATIENCE):
                while len(wanted & self.passed.keys()) < share * len(wanted):
                    self.passed[(await self._consumer.getone()).value.decode()] += 1
        except TimeoutError:
            missing = Counter(one.partition(":")[0] for one in wanted - self.passed.keys())
            pytest.fail(f"not passed on: {missing}")

    async def all_committed(self) -> None:
        """Wait until the group has committed the end of every topic."""
        async with asyncio.timeout(PATIENCE):
            while not await self._is_committed():
                await asyncio.sleep(0.1)

    async def _is_committed(self) -> bool:
        found = await self._admin.list_consumer_group_offsets(self.name)
        committed: Counter[str] = Counter()
        for tp, place in found.items():
            committed[tp.topic] += place.offset
        return all(committed.get(f"{self.name}-{kind}", 0) >= self._sent for kind in KINDS)


@pytest.mark.parametrize("no_cython", ["", "1"], ids=["c", "python"])
def test_agents_lose_nothing_and_begin_where_they_stopped(
    broker_address: str, tmp_path: Path, no_cython: str
) -> None:
    name = f"every-{uuid.uuid4().hex[:8]}"

    def start(instance: int = 0) -> Command:
        environment = {
            **os.environ,
            "PIPELINE": name,
            "CATDOG_BROKER": f"kafka://{broker_address}",
            "APP_DATADIR": str(tmp_path / str(instance)),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "NO_CYTHON": no_cython,
        }
        command = [sys.executable, "-m", "tests.support.every_kind_of_agent", "worker"]
        return Command([*command, "-l", "warn"], environment, tmp_path)

    async def scenario() -> None:
        async with Cluster(broker_address, name) as cluster:
            first = await cluster.send(40)
            with start() as app:
                await cluster.read(first)
                await cluster.all_committed()
                app.process.terminate()
                assert app.wait() == 0
                assert "printed by an agent" in app.output().splitlines()
            second = await cluster.send(40)
            with start() as app:
                await cluster.read(second)
                repeated = {one for one, times in cluster.passed.items() if times > 1}
                assert not repeated, "a restart reads again what was done"
                third = await cluster.send(300)
                await cluster.read(third, share=0.3)
                app.process.kill()
                app.process.wait()
            with start() as app:
                await cluster.read(third)
                fourth = await cluster.send(300)
                with start(1) as other:
                    await cluster.read(fourth)
                    fifth = await cluster.send(100)
                    app.process.kill()
                    await cluster.read(fifth)
                    await cluster.all_committed()
                    assert other.process.poll() is None, other.output()

    asyncio.run(scenario())
