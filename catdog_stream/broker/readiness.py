"""Check over a plain socket that a Kafka broker answers.

The request is version 0 of ``ApiVersions``, which every broker answers; see
https://kafka.apache.org/protocol.html for its layout.
"""

import socket
import struct

__all__ = ["is_ready"]

_API_VERSIONS = 18
_CORRELATION_ID = 1
_CLIENT_ID = b"catdog-stream"
#: Key, version 0, correlation id, and the client's id with its length.
_REQUEST = struct.pack(">hhih", _API_VERSIONS, 0, _CORRELATION_ID, len(_CLIENT_ID)) + _CLIENT_ID
_ANSWER = struct.Struct(">iih")  # length of the rest, correlation id, error code


def is_ready(host: str, port: int, timeout: float = 1.0) -> bool:
    """Return true if a Kafka broker answers there within ``timeout`` seconds.

    An open port is not enough: a starting broker, or any other program, may have it open.
    """
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(struct.pack(">i", len(_REQUEST)) + _REQUEST)
            with connection.makefile("rb") as stream:
                answer = stream.read(_ANSWER.size)
    except OSError:
        return False
    if len(answer) < _ANSWER.size:
        return False
    _length, correlation_id, error = _ANSWER.unpack(answer)
    return (correlation_id, error) == (_CORRELATION_ID, 0)
