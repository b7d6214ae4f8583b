"""Reading of request bodies, limited in size, in time, and in bytes of all clients together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from aiohttp import web

from catdog_stream.web.api.guards.codings import content_coding
from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.unpacking import Unpacker

__all__ = ["Intake", "UploadBudget"]

#: Seconds for a whole body, and for the next part of it.
BODY_SECONDS = 60.0
CHUNK_SECONDS = 10.0
#: Minimum average bytes per chunk of a body (``Transfer-Encoding: chunked``) with more than
#: ``MAX_SMALL_CHUNKS`` chunks.
SMALL_CHUNK = 32
MAX_SMALL_CHUNKS = 256
#: Seconds after which a client that was refused may retry.
RETRY_AFTER = "2"

T = TypeVar("T")


class Intake:
    """Bytes that all clients together have sent and that are not yet in Kafka.

    Args:
        most: maximum of these bytes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._held

    @contextmanager
    def budget(self, limit: int) -> Iterator["UploadBudget"]:
        """Provide a budget of ``limit`` bytes for one body; the end of the block frees it."""
        budget = UploadBudget(self, limit)
        try:
            yield budget
        finally:
            budget.release()

    def take(self, size: int) -> None:
        """Reserve ``size`` bytes. Raise ``Problem`` if the limit is exceeded."""
        if self._held + size > self._most:
            raise Problem(
                503, "Too many pictures come at once.", headers={"Retry-After": RETRY_AFTER}
            )
        self._held += size

    def release(self, size: int) -> None:
        """Free ``size`` bytes."""
        self._held -= size


class UploadBudget:
    """Budget of the bytes that one client sends."""

    def __init__(self, intake: Intake, limit: int) -> None:
        self._intake = intake
        self._limit = limit
        self.taken = 0

    def take(self, size: int) -> None:
        """Reserve ``size`` further bytes. Raise ``Problem`` if a limit is exceeded."""
        if self.taken + size > self._limit:
            raise self._too_large()
        self._intake.take(size)
        self.taken += size

    def release(self) -> None:
        """Free all bytes of this budget."""
        self._intake.release(self.taken)
        self.taken = 0

    async def read(self, request: web.Request) -> bytes:
        """Return the whole body, decompressed. Raise ``Problem``.

        The same limit applies to the compressed and to the decompressed bytes. The server must not
        decompress the body (``auto_decompress=False``): this method does so outside the event loop,
        and only as far as the budget allows.
        """
        if (request.content_length or 0) > self._limit:  # the client announces the size
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
    """Limit the time for a body."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            yield
    except TimeoutError:
        raise Problem(408, "The body did not come in time.") from None
    except (web.RequestPayloadError, ConnectionError) as error:
        raise Problem(400, "The body cannot be read.") from error


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    """Yield the parts of a body as received. Raise ``Problem`` for many small chunks."""
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
    """Return the next part of a body. Raise ``TimeoutError``."""
    async with asyncio.timeout(CHUNK_SECONDS):
        return await chunk
