"""Limit on the bytes of a client that are parsed at a time.

A body in chunks of one byte takes more than a hundred times as long as a body in one piece, all of
it on the event loop.
"""

import asyncio
from typing import Any

from aiohttp import web

__all__ = ["READ_BYTES", "read_little"]

#: Bytes read from a connection before other connections have their turn: about 5 ms at most.
READ_BYTES = 8 * 1024


def read_little(server: web.Server) -> None:
    """Make ``server`` parse ``READ_BYTES`` of a connection at a time, from now on."""
    made = server.connection_made

    def connection_made(handler: Any, transport: asyncio.Transport) -> None:
        if hasattr(transport, "max_size"):  # asyncio's own transport, which reads 256 KiB at a time
            transport.max_size = READ_BYTES
        made(handler, transport)

    server.connection_made = connection_made  # type: ignore[method-assign]
