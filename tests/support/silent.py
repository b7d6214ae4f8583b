"""Broker that accepts connections and never answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection, create_conn

LONG_MS = 60_000


@asynccontextmanager
async def silent() -> AsyncIterator[int]:
    """Yield the port of a server that accepts connections and never answers."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def connected(port: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a connection to the silent server, without the version request of the handshake."""

    async def skip(connection: Any) -> None:
        connection._versions = dict.fromkeys(range(40), (0, 1))

    monkeypatch.setattr(AIOKafkaConnection, "_do_version_lookup", skip)
    return await create_conn("127.0.0.1", port, request_timeout_ms=LONG_MS)
