"""Tests of the shared connection: opened once, replaced when broken, closed when unused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError
from catdog_stream.web.api import shared_connection
from catdog_stream.web.api.shared_connection import Shared

DEADLINE = 10.0
IDLE = 0.01


class Connection:
    """Connection that the test can break."""

    good = True
    open = True


class Broker:
    """Broker that accepts connections, unless the test forbids it."""

    def __init__(self) -> None:
        self.made: list[Connection] = []
        self.error: Exception | None = None
        self.hangs = False

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        connection = Connection()
        self.made.append(connection)
        try:
            yield connection
        finally:
            connection.open = False


def play(
    scenario: Callable[[Shared[Connection], Broker], Awaitable[None]], idle: float = 60.0
) -> None:
    async def run() -> None:
        broker = Broker()
        shared = Shared(broker.connect, usable=lambda each: each.good, idle=idle)
        async with asyncio.timeout(DEADLINE):
            await scenario(shared, broker)
        shared.close()
        await until(lambda: not any(each.open for each in broker.made))

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_connection, "LOOK", 0.001)


def test_all_have_the_same() -> None:
    async def one(shared: Shared[Connection]) -> Connection:
        async with shared.use() as connection:
            await asyncio.sleep(0)
            return connection

    async def scenario(shared: Shared[Connection], broker: Broker) -> None:
        assert not broker.made, "nobody needs it yet"
        assert len(set(await asyncio.gather(*(one(shared) for _ in range(10))))) == 1
        assert shared.is_current(broker.made[0])

    play(scenario)


def test_it_is_closed_when_nobody_has_needed_it_for_a_while_and_opened_again() -> None:
    async def scenario(shared: Shared[Connection], _: Broker) -> None:
        loop = asyncio.get_running_loop()
        async with shared.use() as first:
            much_later = loop.time() + 5 * IDLE
            await until(lambda: loop.time() > much_later)
            assert first.open, "a lease needs it"
        await until(lambda: not first.open)
        assert not shared.is_current(first)
        async with shared.use() as second:
            assert second is not first

    play(scenario, idle=IDLE)


def test_one_that_broke_is_replaced_and_closed_when_the_last_one_has_left_it() -> None:
    async def scenario(shared: Shared[Connection], _: Broker) -> None:
        async with shared.use() as first:
            first.good = False
            async with shared.use() as second:
                assert second is not first
                assert shared.is_current(second)
            assert first.open
        await until(lambda: not first.open)
        assert second.open

    play(scenario)


def test_an_old_one_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_connection, "MAX_AGE", IDLE)

    async def scenario(shared: Shared[Connection], broker: Broker) -> None:
        async with shared.use() as first:
            await until(lambda: not shared.is_current(first))
            async with shared.use() as second:
                assert second is not first
            assert first.open
        await until(lambda: not any(each.open for each in broker.made))

    play(scenario)


def test_one_that_is_not_trusted_any_more_is_replaced() -> None:
    async def scenario(shared: Shared[Connection], _: Broker) -> None:
        async with shared.use() as first:
            shared.drop(first)
            async with shared.use() as second:
                assert second is not first
                shared.drop(first)
                assert shared.is_current(second)

    play(scenario)


@pytest.mark.parametrize(
    "error", [BrokerError("No broker."), OSError("refused"), RuntimeError("a fault")]
)
def test_who_gets_none_is_told_and_the_next_one_tries_again(error: Exception) -> None:
    async def scenario(shared: Shared[Connection], broker: Broker) -> None:
        broker.error = error
        for _ in range(2):
            with pytest.raises(BrokerError, match=str(error)):
                async with shared.use():
                    pass
        broker.error = None
        async with shared.use() as connection:
            assert connection.open

    play(scenario)


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "CONNECT", 0.02)

    async def scenario(shared: Shared[Connection], broker: Broker) -> None:
        broker.hangs = True
        with pytest.raises(BrokerError, match="does not answer"):
            async with shared.use():
                pass

    play(scenario)


def test_a_worker_that_ends_opens_none() -> None:
    async def scenario(shared: Shared[Connection], _: Broker) -> None:
        async with shared.use() as connection:
            shared.close()
            with pytest.raises(BrokerError, match="stopping"):
                async with shared.use():
                    pass
        await until(lambda: not connection.open)

    play(scenario)
