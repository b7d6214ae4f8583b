"""Tests of a worker that ends in any way: it loses no request and counts none twice."""

import asyncio
from pathlib import Path

import pytest

from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import Client, request
from tests.support.fleet import nothing_uncommitted

pytestmark = pytest.mark.integration

REQUESTS_PER_ROUND = 80


def test_restarts_with_a_backlog_lose_nothing_and_keep_the_counts(
    broker_address: str, tmp_path: Path, cat: bytes
) -> None:
    asyncio.run(_restart(broker_address, tmp_path, cat))


async def _restart(address: str, folder: Path, cat: bytes) -> None:
    values = [b"{}" if number % 10 == 0 else request(cat) for number in range(REQUESTS_PER_ROUND)]
    with Worker(address, folder) as worker:
        worker.wait_ready()
        await nothing_uncommitted(address)
        before = worker.get("/labels/")
        async with Client(address) as client:
            sources: list[str] = []
            for how in ("sigkill", "sigterm"):
                sources += await client.send(values)
                first = sources[-len(values) :]
                await client.answers(first[:10])
                if how == "sigterm":
                    assert await asyncio.to_thread(worker.terminate) == 0
                else:
                    worker.kill()
                sources += await client.send(values)
                await asyncio.to_thread(worker.start().wait_ready)
            await client.answers(sources, deadline=180)
            labelled = len(client.labels.keys() & set(sources))
            rejected = len(client.rejected.keys() & set(sources))
            assert labelled + rejected == len(sources)

            def counted() -> bool:
                now = worker.get("/labels/")
                return bool(
                    now["total"] - before["total"] == labelled
                    and now["rejected"] - before["rejected"] == rejected
                )

            wait_until(counted, "the counts to equal the truth")
