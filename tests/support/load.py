"""Continuous requests while a test changes the workers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.client import Client

#: Maximum of unanswered requests: a busy machine must not need minutes to answer the rest.
BACKLOG = 60
PAUSE_SECONDS = 0.2


@asynccontextmanager
async def loaded(client: Client, request: bytes, *, at_once: int) -> AsyncIterator[list[str]]:
    """Send ``at_once`` requests again and again while the block runs.

    Yields the ``source`` of each request that Kafka has. Before the block ends, the last requests
    are completely sent: a cancelled sender would not know which requests it had sent.
    """
    sources: list[str] = []
    enough = asyncio.Event()

    async def send() -> None:
        while not enough.is_set():
            sources.extend(await client.send([request] * at_once))
            await client.answers(sources[:-BACKLOG])
            await asyncio.sleep(PAUSE_SECONDS)

    sending = asyncio.create_task(send())
    try:
        yield sources
        assert not sending.done(), "the load went on"
    finally:
        enough.set()
        await sending
