"""TCP proxy in front of a broker that simulates the failures of a real network."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

_CHUNK = 64 * 1024


def two_ways(port: int, controller: int, inner: int, proxied: int) -> dict[str, str]:
    """Return the settings of an additional listener, for clients that connect through the proxy."""
    host = "127.0.0.1"
    return {
        "listeners": f"PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller},"
        f"PROXIED://{host}:{inner}",
        "advertised.listeners": f"PLAINTEXT://{host}:{port},PROXIED://{host}:{proxied}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,"
        "PROXIED:PLAINTEXT",
    }


class Proxy:
    """Proxy that forwards connections to ``port`` of this machine until its block ends.

    It runs in a thread. A broker sends its clients its own address, so it must advertise the
    proxy's ``address``.

    Args:
        listen: the proxy's own port.
        port: target port.
    """

    def __init__(self, listen: int, port: int) -> None:
        self._listen = listen
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connections: set[_Connection] = set()
        self._refusing_to_forward = False
        self._delay = 0.0

    @property
    def address(self) -> str:
        """``host:port`` for clients."""
        return f"127.0.0.1:{self._listen}"

    def stall(self, *, new_ones_too: bool = False) -> None:
        """Stop forwarding on the existing connections: they stay open, half-open."""
        self._do(_Connection.stall)
        self._refusing_to_forward = new_ones_too

    def drop(self) -> None:
        """Close the existing connections cleanly."""
        self._do(_Connection.close)

    def reset(self) -> None:
        """Reset the existing connections."""
        self._do(_Connection.abort)

    def delay(self, seconds: float) -> None:
        """Forward all data ``seconds`` later."""
        self._delay = seconds

    def heal(self) -> None:
        """Behave like a perfect network again; stalled data is lost, as after a time-out."""
        self._refusing_to_forward, self._delay = False, 0.0
        self.reset()

    def _do(self, action: "Callable[[_Connection], None]") -> None:
        def to_all() -> None:
            for connection in self._connections:
                action(connection)

        self._loop.call_soon_threadsafe(to_all)

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._listen)

    async def _stop(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            connection = _Connection(writer, back)
            if self._refusing_to_forward:
                connection.stall()
            self._connections.add(connection)
            try:
                await asyncio.gather(
                    self._forward(connection, reader, back),
                    self._forward(connection, there, writer),
                )
            finally:
                self._connections.discard(connection)
                connection.abort()

    async def _forward(
        self,
        connection: "_Connection",
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
    ) -> None:
        while data := await source.read(_CHUNK):
            if self._delay:
                await asyncio.sleep(self._delay)
            if not connection.stalled:
                target.write(data)
                await target.drain()
        if not connection.stalled:
            target.close()

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(5.0)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(5.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        self._loop.close()


class _Connection:
    """Both directions of one connection."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self._writers = writers
        self.stalled = False

    def stall(self) -> None:
        self.stalled = True

    def close(self) -> None:
        for writer in self._writers:
            writer.close()

    def abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
