"""What flows while somebody looks: pictures, and what strangers write."""

import asyncio
import io
from collections.abc import Iterable
from threading import Event, Thread
from types import TracebackType
from typing import Self

from PIL import Image

from tests.support.client import Client, request

#: For ``tests.support.looking_worker``, a cat and a dog.
RED, BLUE = (200, 40, 40), (40, 60, 200)


def colored(color: tuple[int, int, int], kind: str = "JPEG") -> bytes:
    """A picture of one color."""
    out = io.BytesIO()
    Image.new("RGB", (320, 240), color).save(out, kind)
    return out.getvalue()


async def flow(address: str, values: Iterable[bytes | None]) -> None:
    """Send requests and wait for their answers."""
    async with Client(address) as client:
        await client.answers(await client.send(values))


class Flowing:
    """Sends a cat and a dog again and again while the block runs."""

    def __init__(self, address: str, pause: float = 0.2) -> None:
        self._address, self._pause = address, pause
        self._enough = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._flow()))

    async def _flow(self) -> None:
        pair = [request(colored(RED)), request(colored(BLUE))]
        async with Client(self._address) as client:
            while not self._enough.is_set():
                await client.send(pair)
                await asyncio.sleep(self._pause)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._enough.set()
        self._thread.join()
