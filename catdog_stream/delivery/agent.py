"""Faust's agent, changed so that it never ends silently.

Fault (Faust 0.15.3): an agent that returns leaves an app that reads nothing, without any report. A
``CancelledError`` from an agent's own code counts as a rebalance: the agent restarts, and the
record that it failed on is acknowledged. An agent that failed restarts, too, behind that record,
while its worker stops.

Repair: each of these is an error of the agent, which the app handles, and none restarts the agent.
Faust itself may cancel an agent, for example when Faust stops.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

import faust
from faust.agents.agent import _current_agent
from faust.types.agents import ActorRefT

from catdog_stream.delivery.stream import Stream
from catdog_stream.errors import AgentError

__all__ = ["Agent"]


class Agent(faust.Agent):
    """Agent that runs until it is stopped, or ends with an error."""

    async def _execute_actor(self, coro: Awaitable[Any], aref: ActorRefT) -> None:
        _current_agent.set(self)
        try:
            await coro
        except asyncio.CancelledError as error:
            self._forget_left(aref)
            task = asyncio.current_task()
            if task is None or not task.cancelling():
                await self._fail(
                    AgentError(f"The agent {self.name} failed: what it waited for was cancelled."),
                    cause=error,
                )
            elif self.should_stop or self.app.should_stop:
                raise
            else:  # its partition was revoked
                await aref.crash(error)
                self.supervisor.wakeup()
        except Exception as error:  # noqa: BLE001 - reported
            self._forget_left(aref)
            await self._fail(error)
        else:
            if not (self.should_stop or self.app.should_stop):
                await self._fail(
                    AgentError(
                        f"The agent {self.name} returned: it must read its stream until it is "
                        "stopped."
                    )
                )

    async def _fail(self, error: Exception, *, cause: BaseException | None = None) -> None:
        if cause is not None:
            error.__cause__ = cause
        if self._on_error is not None:
            await self._on_error(self, error)

    @staticmethod
    def _forget_left(aref: ActorRefT) -> None:
        for stream in cast(Stream[Any], aref.stream)._iter_ll_forwards():
            cast(Stream[Any], stream).forget_left()
