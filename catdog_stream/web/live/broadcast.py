"""Server-sent events: one state in parts, of which each reader gets what has changed since it read.

An event is made once, whoever gets it. A reader that is slow is not sent what it missed but what is
true when it can read again; one that reads nothing for a while is let go.
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

#: Milliseconds until a browser comes back.
RETRY_MS = 2000
#: Seconds of silence after which a reader is told that all is well.
BEAT = 5.0
#: Seconds between comments, for what cuts connections off where nothing passes for a while. They
#: come at the next event or beat: within 15 s.
COMMENT = 10.0
#: Seconds that a reader may take to read one event.
SLOW = 15.0
#: Part of the connections that readers may have; others are answered with 503 beside them.
READERS_SHARE = 0.5


def event(number: int, parts: Mapping[str, Any]) -> bytes:
    """One event. JSON has no line breaks of its own, which would end it."""
    return b"id: %d\ndata: %b\n\n" % (number, orjson.dumps(parts))


class Broadcast:
    """The state, and who reads it.

    Args:
        most: readers at a time; by default a part of the connections that the process can have.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = int(READERS_SHARE * most_connections()) if most is None else most
        self._parts: dict[str, Any] = {}
        #: The number of the state in which a part changed last.
        self._changed: dict[str, int] = {}
        self._number = 0
        #: Since which state, to the event that tells what changed.
        self._events: dict[int, bytes] = {}
        self._news = asyncio.Event()
        self._readers = 0
        self._closed = False

    @property
    def readers(self) -> int:
        """How many read."""
        return self._readers

    @property
    def number(self) -> int:
        """Of the state; 0 before the first one."""
        return self._number

    def publish(self, parts: Mapping[str, Any]) -> None:
        """Have everybody know these parts of the state; the same again is no news."""
        news = {name: part for name, part in parts.items() if self._parts.get(name) != part}
        if not news:
            return
        self._number += 1
        self._parts.update(news)
        self._changed.update(dict.fromkeys(news, self._number))
        self._events.clear()
        self._wake()

    def close(self) -> None:
        """Let all readers go; there will be no more."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def since(self, number: int) -> bytes:
        """The event that tells what has changed since a state; since 0, everything."""
        told = self._events.get(number)
        if told is None:
            told = self._events[number] = event(
                self._number,
                {name: part for name, part in self._parts.items() if self._changed[name] > number},
            )
        return told

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one reader, until it goes or reads nothing."""
        if self._closed or self._readers >= self._most:
            raise web.HTTPServiceUnavailable(
                reason="Too many pages are open, or the worker ends", headers={"Retry-After": "5"}
            )
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                # Or nginx, as it is installed, collects events instead of passing them on.
                "X-Accel-Buffering": "no",
            }
        )
        with self._reading():
            try:
                await response.prepare(request)
                async for text in self._told():
                    async with asyncio.timeout(SLOW):
                        await response.write(text)
            except TimeoutError:
                if request.transport is not None:
                    request.transport.abort()
            except ConnectionError:
                pass  # it has gone
        return response

    async def _told(self) -> AsyncIterator[bytes]:
        """What one reader is told."""
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
                    await self._news.wait()
            except TimeoutError:
                yield b"event: beat\ndata:\n\n"

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1
