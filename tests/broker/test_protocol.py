"""The requests over a plain socket, against servers that are no brokers and one that is."""

import asyncio
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiokafka import AIOKafkaConsumer

from catdog_stream.broker.protocol import evict_members, group_members, is_ready, list_groups
from catdog_stream.errors import BrokerError

HOST = "127.0.0.1"


#: Groups are swept on the embedded broker alone; Apache Kafka has no coordinator for a group before
#: somebody has joined one, and says so.
swept = pytest.mark.skipif(
    "CATDOG_TEST_BROKER" in os.environ, reason="only the embedded broker's groups are swept"
)


@contextmanager
def _server(answer: bytes | None) -> Iterator[int]:
    """A server that gives everybody this answer, or none at all; yields its port."""
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
        b"\0\0\0\6\0\0\0\7\0\0",  # somebody else's correlation id
        b"\0\0\0\6\0\0\0\1",  # ends before the error code
    ],
)
def test_a_port_that_answers_something_else_is_no_broker(answer: bytes) -> None:
    with _server(answer) as port:
        assert not is_ready(HOST, port)


def test_what_is_no_broker_is_named() -> None:
    with (
        _server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port,
        pytest.raises(BrokerError, match=f"{HOST}:{port} is not a Kafka broker"),
    ):
        list_groups(HOST, port)


@swept
@pytest.mark.integration
def test_a_group_that_does_not_exist_has_no_members(broker_address: str) -> None:
    host, port = _split(broker_address)

    assert group_members(host, port, "no-such-group") == []
    assert evict_members(host, port, "no-such-group") == []


@swept
@pytest.mark.integration
def test_members_are_evicted_by_client_and_all_together(broker_address: str) -> None:
    asyncio.run(_join_and_evict(broker_address))


async def _join_and_evict(address: str) -> None:
    host, port = _split(address)
    group = f"group-{uuid.uuid4().hex[:8]}"
    consumer = AIOKafkaConsumer(
        f"{group}-topic", bootstrap_servers=address, group_id=group, client_id="guest"
    )
    async with asyncio.timeout(60), consumer:
        while not consumer.assignment():
            await asyncio.sleep(0.02)

        # Nothing is awaited from here on, so the consumer cannot join again in between.
        [guest] = group_members(host, port, group)
        assert guest.client_id == "guest"
        assert group in list_groups(host, port)
        assert evict_members(host, port, group, client_id="another") == []
        assert evict_members(host, port, group, client_id="guest") == [guest.member_id]
        assert group_members(host, port, group) == []


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)
