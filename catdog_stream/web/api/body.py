"""Reading what clients send: no more than each may, no longer, and not too much of all at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from aiohttp import web

from catdog_stream.web.api.guards.codings import content_coding
from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.unpacking import Unpacker

__all__ = ["Intake", "Room"]

#: Seconds for a whole body, and for the next part of it.
BODY_SECONDS = 60.0
CHUNK_SECONDS = 10.0
#: Bytes that chunks of a body (``Transfer-Encoding: chunked``) have on average where there are more
#: than ``MAX_SMALL_CHUNKS``.
SMALL_CHUNK = 32
MAX_SMALL_CHUNKS = 256
#: Seconds after which a client that was turned away may come again.
RETRY_AFTER = "2"

T = TypeVar("T")


class Intake:
    """What all clients together have sent and is not yet in Kafka.

    Args:
        most: bytes of it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._held

    @contextmanager
    def room(self, limit: int) -> Iterator["Room"]:
        """For one body of so many bytes at most; given back when the block ends."""
        room = Room(self, limit)
        try:
            yield room
        finally:
            room.give_back()

    def take(self, size: int) -> None:
        """Raises ``Problem`` where there is no room."""
        if self._held + size > self._most:
            raise Problem(
                503, "Too many pictures come at once.", headers={"Retry-After": RETRY_AFTER}
            )
        self._held += size

    def give_back(self, size: int) -> None:
        """So much is no longer held."""
        self._held -= size


class Room:
    """What one client has sent."""

    def __init__(self, intake: Intake, limit: int) -> None:
        self._intake = intake
        self._limit = limit
        self.taken = 0

    def take(self, size: int) -> None:
        """So much more has come. Raises ``Problem`` where it is too much."""
        if self.taken + size > self._limit:
            raise self._too_large()
        self._intake.take(size)
        self.taken += size

    def give_back(self) -> None:
        """What has come is no longer held."""
        self._intake.give_back(self.taken)
        self.taken = 0

    async def read(self, request: web.Request) -> bytes:
        """Return the whole body, unpacked. Raises ``Problem``.

        Packed bytes and what they become have the same limit. The server must leave the body as it
        comes (``auto_decompress=False``): it is unpacked here, off the event loop, and only as far
        as there is room.
        """
        if (request.content_length or 0) > self._limit:  # the client says it itself
            raise self._too_large()
        coding = content_coding(request.headers)
        unpacker = None if coding is None else Unpacker(coding)
        received, body = 0, bytearray()
        async with _patient():
            async for chunk in _pieces(request):
                received += len(chunk)
                if received > self._limit:
                    raise self._too_large()
                if unpacker is None:
                    self.take(len(chunk))
                    body += chunk
                    continue
                unpacker.feed(chunk)
                while piece := await asyncio.to_thread(unpacker.piece):
                    self.take(len(piece))
                    body += piece
        if unpacker is not None:
            unpacker.finish()
        return bytes(body)

    def _too_large(self) -> Problem:
        return Problem(413, f"The body has more than {self._limit} bytes.")


@asynccontextmanager
async def _patient() -> AsyncIterator[None]:
    """Wait for a body, though not for ever."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            yield
    except TimeoutError:
        raise Problem(408, "The body did not come in time.") from None
    except (web.RequestPayloadError, ConnectionError) as error:
        raise Problem(400, "The body cannot be read.") from error


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    """Yield a body as it comes. Raises ``Problem`` for one in many small chunks."""
    if request.content_length is not None:
        while data := await _soon(request.content.readany()):
            yield data
        return
    received, chunks = 0, 0
    while (piece := await _soon(request.content.readchunk())) != (b"", False):
        data, ends = piece
        received += len(data)
        chunks += ends
        if chunks > MAX_SMALL_CHUNKS and received < SMALL_CHUNK * chunks:
            raise Problem(400, "The body comes in too many small chunks.")
        yield data


async def _soon(chunk: Awaitable[T]) -> T:
    """The next part of a body. Raises ``TimeoutError``."""
    async with asyncio.timeout(CHUNK_SECONDS):
        return await chunk
