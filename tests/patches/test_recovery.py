"""Tests of a recovery without an answer: it starts again, and ends only with its worker."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    KafkaTimeoutError,
    NodeNotReadyError,
)
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped

from catdog_stream import deadlines
from catdog_stream.app import build_app
from catdog_stream.patches.recovery import PersistentRecovery
from catdog_stream.settings import Settings

DEADLINE = 10.0


@pytest.fixture(autouse=True)
def promptly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set no pause before a recovery starts again."""
    monkeypatch.setattr(deadlines, "TRY_AGAIN", 0.0)


def run(scenario: Callable[[PersistentRecovery], Any]) -> None:
    """Run a scenario of the recovery of an application without connections."""

    async def with_recovery() -> None:
        app = build_app(Settings())
        recovery = cast(TableManager, app.tables).recovery
        assert isinstance(recovery, PersistentRecovery)
        await scenario(recovery)

    asyncio.run(asyncio.wait_for(with_recovery(), DEADLINE))


def test_a_step_that_is_not_answered_has_the_recovery_begin_again() -> None:
    async def scenario(recovery: PersistentRecovery) -> None:
        with pytest.raises(RebalanceAgain):
            await recovery._wait(asyncio.Event().wait(), timeout=0.01)
        assert recovery.signal_recovery_start.is_set(), "nobody else would begin it"

    run(scenario)


def test_faust_ends_it() -> None:
    async def scenario(recovery: PersistentRecovery) -> None:
        with pytest.raises(ServiceStopped):
            await Recovery._wait(recovery, asyncio.Event().wait(), timeout=0.01)

    run(scenario)


@pytest.mark.parametrize("error", [NodeNotReadyError, KafkaTimeoutError, TimeoutError])
def test_so_does_an_error_that_passes(error: type[Exception]) -> None:
    async def scenario(recovery: PersistentRecovery) -> None:
        async def step() -> None:
            raise error

        with pytest.raises(RebalanceAgain):
            await recovery._wait(step())
        assert recovery.signal_recovery_start.is_set()

    run(scenario)


def test_one_that_does_not_pass_is_raised() -> None:
    async def scenario(recovery: PersistentRecovery) -> None:
        async def step() -> None:
            raise GroupAuthorizationFailedError("catdog_stream")

        with pytest.raises(KafkaError):
            await recovery._wait(step())

    run(scenario)


def test_it_ends_with_its_worker() -> None:
    async def scenario(recovery: PersistentRecovery) -> None:
        recovery._stopped.set()
        with pytest.raises(ServiceStopped):
            await recovery._wait(asyncio.Event().wait(), timeout=0.01)
        assert not recovery.signal_recovery_start.is_set()

    run(scenario)


def test_what_was_answered_goes_on() -> None:
    async def scenario(recovery: PersistentRecovery) -> None:
        await recovery._wait(asyncio.sleep(0), timeout=DEADLINE)
        assert not recovery.signal_recovery_start.is_set()

    run(scenario)
