"""Tests of the check that a broker answers, with false servers; ``test_server`` has a real one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from catdog_stream.broker import is_ready

HOST = "127.0.0.1"


@contextmanager
def _server(answer: bytes | None) -> Iterator[int]:
    """Run a server that gives this answer, or none, to any request; yield its port."""
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                if answer is None:
                    connection.recv(1024)  # returns when the client gives up
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_a_port_that_never_answers_is_no_broker() -> None:
    with _server(None) as port:
        assert not is_ready(HOST, port, timeout=0.1)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0\0",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\0\0\0\6\0\0\0\7\0\0",  # foreign correlation id
        b"\0\0\0\6\0\0\0\1",  # ends before the error code
    ],
)
def test_a_port_that_answers_something_else_is_no_broker(answer: bytes) -> None:
    with _server(answer) as port:
        assert not is_ready(HOST, port)
