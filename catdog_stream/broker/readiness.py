"""Whether a Kafka broker answers, asked over a plain socket.

The request is version 0 of ``ApiVersions``, which every broker answers; the layout is that of
https://kafka.apache.org/protocol.html.
"""

import socket
import struct

__all__ = ["is_ready"]

_API_VERSIONS = 18
_CORRELATION_ID = 1
_CLIENT_ID = b"catdog-stream"
#: Key, version 0, correlation id, and the length of the client's id in front of it.
_REQUEST = struct.pack(">hhih", _API_VERSIONS, 0, _CORRELATION_ID, len(_CLIENT_ID)) + _CLIENT_ID
_ANSWER = struct.Struct(">iih")  # length of the rest, correlation id, error code


def is_ready(host: str, port: int, timeout: float = 1.0) -> bool:
    """Whether a Kafka broker answers there within ``timeout`` seconds.

    An open port proves nothing: a broker that is starting, or any other program, may hold it.
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
