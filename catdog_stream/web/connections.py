"""Limit on open connections: a process has a limited number of file descriptors.

Beyond the limit, the oldest connection of the client with the most is closed, and not the new one:
a probe is answered with any number of open pages.
"""

import asyncio
import resource
from collections.abc import Callable
from typing import Any

from aiohttp import web

from catdog_stream.web.clients import client_of

__all__ = ["Connections", "most_connections"]

#: Maximum number of connections, for any limit of the system.
MOST = 1000
LEAST = 16
#: File descriptors for everything else: Kafka, files, pipes, pictures that are fetched.
RESERVED = 128
#: Share of the connections that one client may have. A proxy is one client.
SHARE = 0.5


def most_connections() -> int:
    """Return how many connections this process can have open, from its limit of open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST
    return max(LEAST, min(MOST, soft - RESERVED))


class Connections:
    """Open connections by client, oldest first.

    Args:
        most: maximum number of connections.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._most_of_one = max(1, int(SHARE * most))
        self._open: dict[str, dict[object, asyncio.Transport]] = {}
        self._clients: dict[object, str] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def watch(self, server: web.Server) -> None:
        """Apply the limits to connections that ``server`` accepts from now on."""
        made, lost = server.connection_made, server.connection_lost
        server.connection_made = _both(made, self.opened)  # type: ignore[method-assign]
        server.connection_lost = _both(lost, lambda handler, *_: self.closed(handler))  # type: ignore[method-assign]

    def opened(self, handler: object, transport: asyncio.Transport) -> None:
        """Register a new connection, and close another if there are too many."""
        peer = transport.get_extra_info("peername")
        client = client_of(peer[0] if peer else None)
        self._clients[handler] = client
        self._open.setdefault(client, {})[handler] = transport
        if len(self._open[client]) > self._most_of_one:
            self._close_oldest(client)
        elif len(self._clients) > self._most:
            self._close_oldest(max(self._open, key=lambda each: len(self._open[each])))

    def closed(self, handler: object) -> None:
        """Unregister a closed connection."""
        client = self._clients.pop(handler, None)
        if client is None:
            return
        self._open[client].pop(handler)
        if not self._open[client]:
            del self._open[client]

    def _close_oldest(self, client: str) -> None:
        handler, transport = next(iter(self._open[client].items()))
        self.closed(handler)
        transport.abort()


def _both(first: Callable[..., None], then: Callable[..., None]) -> Callable[..., None]:
    def call(*arguments: Any) -> None:
        first(*arguments)
        then(*arguments)

    return call
