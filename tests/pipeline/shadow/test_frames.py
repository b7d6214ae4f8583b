"""Tests of the messages between the worker and its shadow."""

import socket
from threading import Thread

import pytest

from catdog_stream.pipeline.shadow.frames import receive, send


def test_what_is_said_is_heard_however_long_it_is() -> None:
    ours, theirs = socket.socketpair()
    words: list[tuple[dict[str, object], bytes]] = [
        ({"a": 1}, b""),
        ({}, b"x" * 3_000_000),
        ({"text": "ä" * 100}, bytes(range(256))),
    ]

    def say() -> None:
        for document, data in words:
            send(ours, document, data)
        ours.close()

    thread = Thread(target=say)
    thread.start()
    with theirs:
        assert [receive(theirs) for _ in words] == words
        with pytest.raises(EOFError):
            receive(theirs)
    thread.join()


def test_who_says_nothing_is_not_waited_for_for_ever() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(0.01)
        with pytest.raises(TimeoutError):
            receive(theirs)
        ours.settimeout(0.01)
        with pytest.raises(TimeoutError):
            send(ours, {}, b"x" * 10_000_000)
