"""Workers that join and leave, with a check that no request was lost or counted twice."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from catdog_stream.testing.worker import Worker
from tests.support.client import LABELS, REQUESTS, Client

GROUP = "catdog_stream"
#: Seconds until the counts must be correct after everything is answered.
SETTLE = 60.0
#: One thread each, so that several workers fit on a small machine.
SETTINGS = {"CATDOG_THREADS": "1"}


async def nothing_uncommitted(address: str) -> None:
    """Wait until the application has committed all records in its topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    consumer = AIOKafkaConsumer(bootstrap_servers=address)
    await admin.start()
    await consumer.start()
    try:
        async with asyncio.timeout(SETTLE):
            while True:
                metadata = await consumer._client.fetch_all_metadata()
                ends = await consumer.end_offsets(
                    [
                        TopicPartition(topic, number)
                        for topic in (REQUESTS, LABELS)
                        for number in metadata.partitions_for_topic(topic)
                    ]
                )
                committed = await admin.list_consumer_group_offsets(GROUP)
                if all(
                    not end or (tp in committed and committed[tp].offset >= end)
                    for tp, end in ends.items()
                ):
                    return
                await asyncio.sleep(0.1)
    finally:
        await consumer.stop()
        await admin.close()


class Fleet:
    """Workers of one application on the broker at ``address``."""

    def __init__(self, address: str, folder: Path, settings: Mapping[str, str] = SETTINGS) -> None:
        self._settings = settings
        self._address = address
        self._folder = folder
        self.workers: list[Worker] = []
        self._before: Mapping[str, Any] = {}

    async def __aenter__(self) -> Self:
        """Start with one worker, and remember the current counts.

        A worker that was killed just before may have shown a count that it had not written yet: the
        new worker counts that record again, and must finish before the start values are read.
        """
        await self.join()
        await nothing_uncommitted(self._address)
        self._before = self.workers[0].get("/labels/")
        return self

    async def __aexit__(
        self,
        type_: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for worker in self.workers:
            worker.__exit__(type_, error, traceback)

    async def join(self) -> None:
        """Start one more worker and wait until it is ready."""
        worker = Worker(self._address, self._folder, settings=self._settings).start()
        self.workers.append(worker)
        await asyncio.to_thread(worker.wait_ready)

    async def leave(self, index: int) -> None:
        """Send SIGTERM to one worker."""
        assert await asyncio.to_thread(self.workers.pop(index).terminate) == 0

    def vanish(self, index: int) -> None:
        """Send SIGKILL to one worker."""
        self.workers.pop(index).kill()

    async def prove(self, client: Client, sources: list[str]) -> None:
        """Check that each request has one kind of answer and every worker's counts are exact."""
        await client.answers(sources, deadline=240)
        both = client.labels.keys() & client.rejected.keys()
        assert not both, f"{both} were labelled and rejected"
        truth = {
            "total": len(client.labels.keys() & set(sources)),
            "rejected": len(client.rejected.keys() & set(sources)),
        }
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLE
        while (shown := self._shown()) != [truth] * len(self.workers):
            assert loop.time() < deadline, f"the truth is {truth}, the workers show {shown}"
            await asyncio.sleep(0.1)

    def _shown(self) -> list[dict[str, int] | None]:
        """Return the cluster's counts as each worker shows them, less those at the start."""
        shown: list[dict[str, int] | None] = []
        for worker in self.workers:
            try:
                now = worker.get("/labels/")
            except OSError:
                shown.append(None)
                continue
            whole = now["workers"] == {"asked": len(self.workers), "answered": len(self.workers)}
            shown.append(
                {key: now[key] - self._before[key] for key in ("total", "rejected")}
                if whole
                else None
            )
        return shown
