"""Web server in a thread of its own, which tests attack and measure from outside."""

import asyncio
import socket
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

from catdog_stream.web.api.guards.guarding import guard
from catdog_stream.web.api.guards.tokens import Tokens
from catdog_stream.web.server import HTTP_OPTIONS, _only, treat

TOKEN = "sending-secret"
#: Seconds for a probe on a machine that is almost idle.
PROBE_SECONDS = 0.5
#: Seconds for an attacker's connection.
PATIENCE = 30.0


@dataclass
class Server:
    """Running server, with the gaps of its event loop."""

    port: int = 0
    #: Seconds between two turns of the event loop.
    gaps: list[float] = field(default_factory=list)

    def send(self, head: str, body: bytes) -> bytes:
        """Send a request, and return the status line; empty if the server closed the connection."""
        head = head.replace("HOST", f"127.0.0.1:{self.port}")
        if "chunked" not in head:
            head += f"\r\nContent-Length: {len(body)}"
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as client:
            try:
                client.sendall(f"{head}\r\n\r\n".encode() + body)
            except ConnectionError:  # the server closed it
                return b""
            try:
                return client.recv(1024).partition(b"\r\n")[0]
            except ConnectionError:
                return b""

    def probe(self) -> float:
        """Return the seconds until ``/healthz`` answered."""
        begin = time.monotonic()
        assert b"200" in self.send("GET /healthz HTTP/1.1\r\nHost: HOST", b"")
        return time.monotonic() - begin

    def slowest(self, attacks: Sequence[tuple[str, bytes]]) -> tuple[float, float]:
        """Return the slowest probe and the longest loop pause during attacks, in seconds."""
        self.gaps.clear()
        return self.slowest_probe(attacks), max(self.gaps)

    def slowest_probe(self, attacks: Sequence[tuple[str, bytes]]) -> float:
        """Return the slowest probe, in seconds, during concurrent attacks."""
        slowest = self.probe()
        with ThreadPoolExecutor(len(attacks)) as pool:
            running = [pool.submit(self.send, *attack) for attack in attacks]
            while not all(each.done() for each in running):
                slowest = max(slowest, self.probe())
            for each in running:
                each.result()
        return slowest


@contextmanager
def served(routes: Sequence[web.RouteDef]) -> Iterator[Server]:
    """Serve ``routes`` and ``/healthz`` as a worker does, on a port of its own."""
    server, started, ended = Server(), threading.Event(), asyncio.Event()

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="alive")

    async def tick() -> None:
        then = time.monotonic()
        while True:
            await asyncio.sleep(0.005)
            now = time.monotonic()
            server.gaps.append(now - then)
            then = now

    async def serve() -> None:
        application = web.Application(
            middlewares=[
                _only(lambda host: (host or "").startswith("127.0.0.1")),
                guard(Tokens(None, TOKEN), sending=True),
            ]
        )
        application.add_routes([web.get("/healthz", healthz), *routes])
        runner = web.AppRunner(application, shutdown_timeout=0.1, **HTTP_OPTIONS)
        await runner.setup()
        assert runner.server is not None
        treat(runner.server, application)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.port = runner.addresses[0][1]
        ticking = asyncio.ensure_future(tick())
        loops.append(asyncio.get_running_loop())
        started.set()
        await ended.wait()
        ticking.cancel()
        await runner.cleanup()

    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert started.wait(PATIENCE)
        yield server
    finally:
        loops[0].call_soon_threadsafe(ended.set)
        thread.join()


def bomb(size: int, *, of: bytes = b"\0", head: bytes = b"") -> bytes:
    """Return gzip data, packed to about a thousandth, of ``head`` and ``size`` bytes after it.

    Args:
        size: number of bytes.
        of: repeated byte.
        head: bytes in front.
    """
    mebibyte = 1 << 20
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(of * mebibyte) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.flush(zlib.Z_FINISH)
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + first + block * (size // mebibyte) + last
