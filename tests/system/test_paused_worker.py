"""Test of a worker that resumes after its session timeout: it changes no count of other workers."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.support.client import Client, Message, request
from tests.support.fleet import SETTINGS, Fleet

pytestmark = [pytest.mark.integration, pytest.mark.long]

REQUESTS = 240


def test_a_worker_that_slept_through_its_session_overwrites_no_counts(
    broker_address: str, tmp_path: Path, cat: bytes
) -> None:
    asyncio.run(_scenario(broker_address, tmp_path, cat))


async def _scenario(address: str, folder: Path, cat: bytes) -> None:
    # Much shorter than the pause: on waking, no good picture may be taken for one that hangs.
    settings = {**SETTINGS, "CATDOG_INFERENCE_TIMEOUT": "8"}
    async with Fleet(address, folder, settings) as fleet, Client(address) as client:
        await fleet.join()
        messages = [Message(request(cat), partition=number % 8) for number in range(REQUESTS)]
        sources = await client.send(messages)
        await client.answers(sources[: REQUESTS // 3])
        sleeper = fleet.workers[1].process
        sleeper.send_signal(signal.SIGSTOP)  # during its work, with unwritten counts
        try:
            await client.answers(sources)  # by the other worker, when the session is over
            await asyncio.to_thread(fleet.workers[0].wait_ready)
        finally:
            sleeper.send_signal(signal.SIGCONT)
        await fleet.prove(client, sources)
        # Only the counts that a new worker reads from the changelog are decisive.
        fleet.vanish(1)
        fleet.vanish(0)
        await fleet.join()
        await fleet.prove(client, sources)
