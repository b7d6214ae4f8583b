"""Server that answers each GET with the same file, ``SECONDS`` late: a store without other costs.

    python -m benchmarks.late_server SIZE [CERTIFICATE]

It prints its port. With a PEM file of a certificate and its key, it speaks TLS.
"""

import asyncio
import os
import ssl
import sys
from typing import cast

import uvloop

#: Latency of a store in the same region.
SECONDS = 0.005


class Late(asyncio.Protocol):
    """Connection of a client that sends one request after the other."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer each complete request."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            self._received = self._received.partition(b"\r\n\r\n")[2]
            asyncio.get_running_loop().call_later(SECONDS, self._transport.write, self._answer)


async def serve(size: int, certificate: str | None) -> None:
    """Serve until the process is ended."""
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    answer = (
        b'HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nETag: "1"\r\n'
        b"Last-Modified: Sun, 29 Nov 2026 00:00:00 GMT\r\nContent-Length: %d\r\n\r\n" % size
    ) + os.urandom(size)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Late(answer), "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
