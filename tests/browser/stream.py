"""Requests that flow while a test watches the page."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tests.support.client import Client, request
from tests.support.pictures import BLUE, RED

PAUSE_SECONDS = 0.2


async def flow(address: str, values: Iterable[bytes | None]) -> None:
    """Send requests and wait for their answers."""
    async with Client(address) as client:
        await client.answers(await client.send(values))


@contextmanager
def flowing(address: str) -> Iterator[None]:
    """Send a cat and a dog again and again while the block runs."""
    enough = Event()

    async def send() -> None:
        async with Client(address) as client:
            while not enough.is_set():
                await client.send([request(RED), request(BLUE)])
                await asyncio.sleep(PAUSE_SECONDS)

    thread = Thread(target=lambda: asyncio.run(send()))
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()
