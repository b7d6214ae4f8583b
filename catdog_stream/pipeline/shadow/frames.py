"""Messages between a worker and its shadow over a socket: a JSON object, and bytes."""

import socket
import struct
from typing import Any

import orjson

__all__ = ["receive", "send"]

#: Lengths of the JSON object and of the bytes.
_LENGTHS = struct.Struct("!II")


def send(connection: socket.socket, document: dict[str, Any], data: bytes = b"") -> None:
    """Send a message. Raises ``OSError``, also as ``TimeoutError`` if the other side is stuck."""
    text = orjson.dumps(document)
    connection.sendall(_LENGTHS.pack(len(text), len(data)) + text)
    if data:
        connection.sendall(data)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """Receive the next message of the other side.

    Raises:
        EOFError: the other side has closed the socket.
        TimeoutError: no message arrives within the socket's time limit.
    """
    length, size = _LENGTHS.unpack(_exactly(connection, _LENGTHS.size))
    document: dict[str, Any] = orjson.loads(_exactly(connection, length))
    return document, bytes(_exactly(connection, size))


def _exactly(connection: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        try:
            count = connection.recv_into(rest)
        except ConnectionError as error:
            raise EOFError from error
        if not count:
            raise EOFError
        rest = rest[count:]
    return data
