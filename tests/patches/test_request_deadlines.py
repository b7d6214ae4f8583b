"""Tests of the deadlines for a silent broker, which depend on the kind of request."""

import asyncio
import inspect

import pytest
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest
from aiokafka.protocol.metadata import MetadataRequest

from catdog_stream import deadlines
from catdog_stream.patches import request_deadlines
from tests.support.metrics import broker_errors
from tests.support.silent import LONG_MS, connected, silent

DEADLINE = 10.0
HEARTBEAT = HeartbeatRequest("group", 1, "member")
JOIN = JoinGroupRequest("group", 1, 1, "", None, "consumer", [])


@pytest.fixture(autouse=True)
def fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the fix for one test."""
    for name in ("send", "connect"):
        monkeypatch.setattr(AIOKafkaConnection, name, getattr(AIOKafkaConnection, name))
    request_deadlines.install()


def test_a_connection_that_is_accepted_and_not_answered_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadlines, "CONNECT", 0.1)

    async def scenario() -> None:
        async with silent() as port:
            with pytest.raises(TimeoutError):
                await create_conn("127.0.0.1", port, request_timeout_ms=LONG_MS)

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_a_question_that_is_answered_at_once_or_never_does_not_wait_as_long_as_joining(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadlines, "request_seconds", {3: 0.1, 11: 0.5, 12: 0.1}.__getitem__)

    async def scenario() -> None:
        async with silent() as port:
            connection = await connected(port, monkeypatch)
            question = asyncio.ensure_future(connection.send(MetadataRequest([])))
            join = asyncio.ensure_future(connection.send(JOIN))
            behind = asyncio.ensure_future(connection.send(HEARTBEAT))
            assert request_deadlines.waiting_longest() is not None
            with pytest.raises(TimeoutError):
                await question
            assert not join.done(), "joining waits for others"
            assert not behind.done(), "its connection is answered in order"
            with pytest.raises(TimeoutError):
                await join
            with pytest.raises(TimeoutError):
                await behind
            connection.close()
        assert request_deadlines.waiting_longest() is None

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_it_is_told_who_has_been_silent_for_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with silent() as port:
            connection = await connected(port, monkeypatch)
            join = asyncio.ensure_future(connection.send(JOIN))
            assert request_deadlines.waiting_longest() is None, "that says nothing of the broker"
            question = asyncio.ensure_future(connection.send(MetadataRequest([])))
            waiting = request_deadlines.waiting_longest(lambda: asyncio.get_running_loop().time())
            assert waiting is not None
            assert waiting[1] == f"127.0.0.1:{port}"
            connection.close()
            await asyncio.gather(join, question, return_exceptions=True)
            await asyncio.sleep(0)
            assert request_deadlines.waiting_longest() is None

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_what_fails_is_broker_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "request_seconds", {3: 0.1, 11: LONG_MS}.__getitem__)

    async def scenario() -> None:
        before = broker_errors("connect"), broker_errors("request")
        async with silent() as port:
            connection = await connected(port, monkeypatch)
            cancelled = asyncio.ensure_future(connection.send(MetadataRequest([])))
            await asyncio.sleep(0)
            cancelled.cancel()
            await asyncio.gather(cancelled, return_exceptions=True)
            assert broker_errors("request") == before[1], "nobody waited for it"
            with pytest.raises(TimeoutError):
                await connection.send(MetadataRequest([]))
            assert broker_errors("request") == before[1] + 1
            join = asyncio.ensure_future(connection.send(JOIN))
            await asyncio.sleep(0)
            connection.close()
            with pytest.raises(KafkaConnectionError):
                await join
            assert broker_errors("request") == before[1] + 2
        assert broker_errors("connect") == before[0]
        with pytest.raises(OSError, match=str(port)):
            await create_conn("127.0.0.1", port, request_timeout_ms=LONG_MS)
        assert broker_errors("connect") == before[0] + 1

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_aiokafka_has_one_limit_for_everything() -> None:
    """Remove the patch when this fails: see docs/upstream.md."""
    assert set(inspect.signature(request_deadlines._send).parameters) == {
        *("self", "request", "expect_response"),
    }
    assert "timeout" not in inspect.signature(request_deadlines._connect).parameters
