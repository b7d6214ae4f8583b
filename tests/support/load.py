"""Requests that go on while a test does something to the workers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.client import Client

#: Unanswered requests, at most: a busy machine shall not have to work off minutes of them.
BACKLOG = 60
PAUSE_SECONDS = 0.2


@asynccontextmanager
async def loaded(client: Client, request: bytes, *, at_once: int) -> AsyncIterator[list[str]]:
    """Send ``at_once`` requests again and again while the block runs.

    Yields the ``source`` of each that Kafka has. The last are sent to the end before the block
    is left: who were cancelled then would not know what it had sent.
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
