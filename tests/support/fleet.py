"""Several workers that come and go, and the proof that none of it cost or doubled anything."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from tests.support.client import Client
from tests.support.worker import Worker

#: Seconds for the counts to arrive at the truth once everything is answered.
SETTLE = 60.0
#: One thread each, so that several workers fit on a small machine.
SETTINGS = {"CATDOG_THREADS": "1"}


class Fleet:
    """The workers of one application on the broker at ``address``."""

    def __init__(self, address: str, folder: Path) -> None:
        self._address = address
        self._folder = folder
        self.workers: list[Worker] = []
        self._before: Mapping[str, Any] = {}

    async def __aenter__(self) -> Self:
        """Start with one worker, and remember what is counted already."""
        await self.join()
        self._before = self.workers[0].get("/labels/")
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        for worker in self.workers:
            worker.kill()

    async def join(self) -> None:
        """Start one more worker and wait until it is ready."""
        worker = Worker(self._address, self._folder, settings=SETTINGS).start()
        self.workers.append(worker)
        await asyncio.to_thread(worker.wait_ready)

    async def leave(self, index: int) -> None:
        """SIGTERM for one worker."""
        assert await asyncio.to_thread(self.workers.pop(index).terminate) == 0

    def vanish(self, index: int) -> None:
        """SIGKILL for one worker."""
        self.workers.pop(index).kill()

    async def prove(self, client: Client, sources: list[str]) -> None:
        """Each request has one kind of answer, and every worker counts the truth exactly."""
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
        """What each worker shows for the cluster, less what was there before."""
        shown: list[dict[str, int] | None] = []
        for worker in self.workers:
            try:
                now = worker.get("/labels/")
            except requests.RequestException:
                shown.append(None)
                continue
            whole = now["workers"] == {"asked": len(self.workers), "answered": len(self.workers)}
            shown.append(
                {key: now[key] - self._before[key] for key in ("total", "rejected")}
                if whole
                else None
            )
        return shown
