"""Server-sent events of one state in parts; each reader gets the parts changed since its last read.

Each event is built once for all readers. A slow reader does not get what it missed, but the current
state when it can read again; a reader that reads nothing for a while is disconnected.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import orjson
from aiohttp import web

from catdog_stream.web.connections import most_connections

__all__ = ["Broadcast", "event"]

#: Milliseconds until a browser reconnects.
RETRY_MS = 2000
#: Seconds without an event after which a reader gets a heartbeat.
BEAT = 5.0
#: Seconds between comments, for proxies that close idle connections. A comment is sent with the
#: next event or heartbeat: within 15 s.
COMMENT = 10.0
#: Maximum seconds that a reader may take to read one event.
SLOW = 15.0
#: Share of the connections that readers may use; further readers get status 503.
READERS_SHARE = 0.5


def event(number: int, parts: Mapping[str, Any]) -> bytes:
    """Return one event. JSON contains no line breaks, which would end the event."""
    return b"id: %d\ndata: %b\n\n" % (number, orjson.dumps(parts))


class Broadcast:
    """State and its readers.

    Args:
        most: maximum number of readers; by default a share of the process's connections.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = int(READERS_SHARE * most_connections()) if most is None else most
        self._parts: dict[str, Any] = {}
        #: Part to the number of the state in which it last changed.
        self._changed: dict[str, int] = {}
        self._number = 0
        #: Number of an earlier state to the event with the changes since.
        self._events: dict[int, bytes] = {}
        self._next = asyncio.Event()
        self._readers = 0
        self._closed = False

    @property
    def readers(self) -> int:
        """Number of readers."""
        return self._readers

    @property
    def number(self) -> int:
        """Number of the state; 0 before the first."""
        return self._number

    def publish(self, parts: Mapping[str, Any]) -> None:
        """Send these parts of the state to all readers; unchanged parts are not sent."""
        changed = {name: part for name, part in parts.items() if self._parts.get(name) != part}
        if not changed:
            return
        self._number += 1
        self._parts.update(changed)
        self._changed.update(dict.fromkeys(changed, self._number))
        self._events.clear()
        self._wake()

    def close(self) -> None:
        """Disconnect all readers, and accept no more."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    def since(self, number: int) -> bytes:
        """Return the event with the changes since a state; since 0, with everything."""
        text = self._events.get(number)
        if text is None:
            text = self._events[number] = event(
                self._number,
                {name: part for name, part in self._parts.items() if self._changed[name] > number},
            )
        return text

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one reader until it disconnects or stops reading."""
        if self._closed or self._readers >= self._most:
            raise web.HTTPServiceUnavailable(
                reason="Too many pages are open, or the worker ends", headers={"Retry-After": "5"}
            )
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                # Without it, nginx in its default configuration buffers events.
                "X-Accel-Buffering": "no",
            }
        )
        with self._reading():
            try:
                await response.prepare(request)
                async for text in self._stream():
                    async with asyncio.timeout(SLOW):
                        await response.write(text)
            except TimeoutError:
                if request.transport is not None:
                    request.transport.abort()
            except ConnectionError:
                pass  # disconnected
        return response

    async def _stream(self) -> AsyncIterator[bytes]:
        """Yield the bytes for one reader."""
        yield b"retry: %d\n\n" % RETRY_MS
        number, commented = 0, time.monotonic()
        while not self._closed:
            if time.monotonic() - commented >= COMMENT:
                commented = time.monotonic()
                yield b": still here\n\n"
            if self._number > number:
                text, number = self.since(number), self._number
                yield text
                continue
            try:
                async with asyncio.timeout(BEAT):
                    await self._next.wait()
            except TimeoutError:
                yield b"event: beat\ndata:\n\n"

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1
