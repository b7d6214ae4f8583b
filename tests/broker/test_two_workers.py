"""Tests of several workers on one broker: they share partitions and take over from each other."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

pytestmark = [pytest.mark.integration, pytest.mark.long]

PARTITIONS = 4
DEADLINE = 60.0  # seconds for a step that takes a few; a test machine may be busy
PAUSE = 0.02  # seconds between two requests


def test_a_second_worker_joins_and_the_first_takes_over_when_it_is_killed(
    broker_address: str, tmp_path: Path
) -> None:
    asyncio.run(_join_kill_and_stop(broker_address, tmp_path))


async def _join_kill_and_stop(address: str, folder: Path) -> None:
    app_id = f"echo-{uuid.uuid4().hex[:8]}"
    async with Traffic(address, app_id) as traffic:
        with _worker(address, app_id, folder / "first") as first:
            await traffic.until_all_partitions_are_answered_by(first)
            with _worker(address, app_id, folder / "second") as second:
                await traffic.until_all_partitions_are_answered_by(first, second)
                second.kill()
                await traffic.until_all_partitions_are_answered_by(first)
            with _worker(address, app_id, folder / "third") as third:
                await traffic.until_all_partitions_are_answered_by(first, third)
                first.send_signal(signal.SIGTERM)
                await traffic.until_all_partitions_are_answered_by(third)
                assert first.wait(DEADLINE) == 0
                await traffic.until_nothing_is_unanswered()


@contextmanager
def _worker(address: str, app_id: str, datadir: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.support.echo_worker"),
            *("--datadir", str(datadir), "worker", "--without-web", "--loglevel", "warn"),
        ],
        env={**os.environ, "ECHO_ID": app_id, "ECHO_BROKER": f"kafka://{address}"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Traffic:
    """Client that sends numbered requests to an echo application and reads all its answers."""

    def __init__(self, address: str, app_id: str) -> None:
        self._address = address
        self._topics = {"in": f"{app_id}-in", "out": f"{app_id}-out"}
        self._sent = 0
        self._answered: set[int] = set()
        self._latest: dict[int, int] = {}  # request's partition -> worker that answered last
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._address)
        await admin.start()
        await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in self._topics.values()])
        await admin.close()
        self._sending = asyncio.Event()
        self._sending.set()
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._read())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until_all_partitions_are_answered_by(
        self, *workers: "subprocess.Popen[bytes]"
    ) -> None:
        """Wait until the partitions' latest answers are by these workers, each of them seen."""
        began = time.monotonic()
        expected = {worker.pid for worker in workers}
        self._latest.clear()

        def answered() -> bool:
            assert all(worker.poll() is None for worker in workers), "a worker ended by itself"
            return len(self._latest) == PARTITIONS and set(self._latest.values()) == expected

        await self._until(answered, f"the partitions to be answered by {expected}")
        print(
            f"{len(workers)} worker(s) serve all partitions after {time.monotonic() - began:.1f} s"
        )

    async def until_nothing_is_unanswered(self) -> None:
        """Stop sending and wait until every request was answered at least once."""
        self._sending.clear()
        await self._until(
            lambda: self._answered == set(range(self._sent)), "every request to be answered"
        )

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            for task in self._tasks:
                if task.done():
                    task.result()
            assert time.monotonic() < deadline, (
                f"waited {DEADLINE:.0f} s for {what}: answered last by {self._latest}, "
                f"{self._sent - len(self._answered)} of {self._sent} unanswered"
            )
            await asyncio.sleep(PAUSE)

    async def _send(self) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._address) as producer:
            while True:
                await self._sending.wait()
                partition = self._sent % PARTITIONS
                value = b"%d" % self._sent
                await producer.send_and_wait(self._topics["in"], value, partition=partition)
                self._sent += 1
                await asyncio.sleep(PAUSE)

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            self._topics["out"], bootstrap_servers=self._address, auto_offset_reset="earliest"
        )
        async with consumer:
            async for record in consumer:
                worker, number = (int(word) for word in record.value.split())
                self._answered.add(number)
                self._latest[number % PARTITIONS] = worker
