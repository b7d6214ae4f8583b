"""How much of what a client sends is parsed at a time.

A body in chunks of one byte costs more than a hundred times what one in a single piece does, all of
it on the event loop.
"""

import asyncio
from typing import Any

from aiohttp import web

__all__ = ["READ_BYTES", "read_little"]

#: Bytes that are read of a connection before others have their turn: some 5 ms at most.
READ_BYTES = 8 * 1024


def read_little(server: web.Server) -> None:
    """Have ``server`` parse ``READ_BYTES`` of a connection at a time, from now on."""
    made = server.connection_made

    def connection_made(handler: Any, transport: asyncio.Transport) -> None:
        if hasattr(transport, "max_size"):  # asyncio's own; it reads 256 KiB at a time
            transport.max_size = READ_BYTES
        made(handler, transport)

    server.connection_made = connection_made  # type: ignore[method-assign]
