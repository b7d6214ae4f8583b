"""Tests that a connection is replaced before its session ends, and answers what was sent on it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import RequestTimedOutError
from aiokafka.protocol.metadata import MetadataRequest

from catdog_stream.patches import session_lifetime
from tests.support.silent import connected, silent

LIFETIME_MS = 100


async def authenticated(authenticate: Any, port: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a connection to a broker that has announced ``LIFETIME_MS``."""
    connection = await connected(port, monkeypatch)
    handshake = SimpleNamespace(error_code=0, enabled_mechanisms=["PLAIN"], API_VERSION=1)
    success = SimpleNamespace(error_code=0, sasl_auth_bytes=b"", session_lifetime_ms=LIFETIME_MS)
    answers = iter([handshake, success])

    async def send(_request: Any, _expect_response: bool = True) -> Any:
        return next(answers)

    connection._sasl_mechanism = "PLAIN"
    connection._sasl_plain_username = connection._sasl_plain_password = "x"
    with monkeypatch.context() as patched:
        patched.setattr(AIOKafkaConnection, "send", staticmethod(send))
        await authenticate(connection)
    return connection


def test_aiokafka_ignores_the_announcement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the patch when this fails: see docs/upstream.md."""

    async def scenario() -> None:
        async with silent() as port:
            connection = await authenticated(session_lifetime._authenticate, port, monkeypatch)
            assert LIFETIME_MS not in vars(connection).values()
            assert not any("lifetime" in name for name in vars(connection))
            connection.close()

    asyncio.run(scenario())


def test_a_connection_is_replaced_and_finishes_what_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        async with silent() as port:
            session_lifetime.install()
            authenticate = session_lifetime._authenticate_and_learn_lifetime
            client = AIOKafkaClient(bootstrap_servers=f"127.0.0.1:{port}")
            key = (1, ConnectionGroup.DEFAULT)
            old = client._conns[key] = await authenticated(authenticate, port, monkeypatch)
            assert await client._get_conn(1) is old
            waiting = asyncio.ensure_future(old.send(MetadataRequest([])))
            await asyncio.sleep(LIFETIME_MS / 1000)
            assert await client._get_conn(1) is None  # this client knows no broker to connect to
            assert key not in client._conns
            assert old.connected()
            old._requests[-1][2].set_result("answer")
            assert await waiting == "answer"
            await asyncio.sleep(0)
            assert not old.connected()

    asyncio.run(scenario())


def test_the_time_limit_of_a_request_on_a_replaced_connection_is_an_error_of_kafka(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        async with silent() as port:
            session_lifetime.install()
            authenticate = session_lifetime._authenticate_and_learn_lifetime
            client = AIOKafkaClient(bootstrap_servers=f"127.0.0.1:{port}")
            old = await authenticated(authenticate, port, monkeypatch)
            client._conns[1, ConnectionGroup.DEFAULT] = old
            old._request_timeout = 2 * LIFETIME_MS / 1000
            waiting = asyncio.ensure_future(client.send(1, MetadataRequest([])))
            await asyncio.sleep(LIFETIME_MS / 1000)
            assert await client._get_conn(1) is None  # this client knows no broker to connect to
            with pytest.raises(RequestTimedOutError):
                await waiting
            assert not old.connected()

    asyncio.run(scenario())
