"""Liveness and readiness of this worker, with the reasons."""

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any, cast

from faust.exceptions import ConsumerNotStarted
from faust.types import TP
from mode import Service

from catdog_stream import deadlines, metrics
from catdog_stream.errors import AgentError
from catdog_stream.patches.group_coordinator import MendedGroupCoordinator
from catdog_stream.patches.request_deadlines import waiting_longest
from catdog_stream.worker.cluster_readiness import NOT_ANSWERED_YET
from catdog_stream.worker.progress import ProgressWatch

if TYPE_CHECKING:
    from catdog_stream.delivery.consumer import Consumer
    from catdog_stream.worker.application import CatDogApp

__all__ = [
    "PASSING",
    "SPARE",
    "Watchdog",
    "assigned",
    "health_problems",
    "readiness_problems",
    "silence",
    "without_addresses",
]

_ADDRESS = re.compile(r"(?:\w+://)?(?:\[[0-9A-Fa-f:.]+\]|[\w.-]*\w):\d{1,5}\b(?!:)")

_WARMING, _JURY = "The model is warming up.", "The jury is starting."
_ASSIGNING = "Partitions are being assigned and tables recovered."
#: Temporary reasons, which end soon by themselves.
PASSING = frozenset((NOT_ANSWERED_YET, _WARMING, _JURY, _ASSIGNING))
#: Reason of a worker beyond the number of partitions.
SPARE = "No partition is assigned to this worker."

#: Interval of the watchdog's checks.
LOOK_SECONDS = 1.0


class Watchdog(Service):
    """Service that ends the worker when an agent has ended, and detects a stall."""

    def __init__(self, app: "CatDogApp", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
        self.progress = ProgressWatch(deadlines.STALL)
        self._unready_since: float | None = time.monotonic()

    @property
    def unready(self) -> float:
        """Seconds for which this worker has not been ready, since its start; 0 if it is ready."""
        since = self._unready_since
        return 0.0 if since is None else time.monotonic() - since

    async def on_stop(self) -> None:
        """Set the metric of readiness to 0."""
        metrics.READY.set(0)

    @Service.task
    async def _look(self) -> None:
        async for _ in self.itertimer(LOOK_SECONDS, name="watchdog"):
            dead = dead_agents(self.app)
            if dead and not self.app.should_stop:
                self.app.give_up(AgentError(f"The agent {dead[0]} ended: the worker ends too."))
            reachable = await self.app.cluster_readiness.problem_now() is None
            self.progress.observe(
                self.app.work.answered,
                # Without a broker nothing can be done, and a restart would not help.
                waiting=reachable and await _work_waits(self.app),
            )
            is_ready = not await readiness_problems(self.app)
            metrics.READY.set(is_ready)
            if is_ready:
                self._unready_since = None
            elif self._unready_since is None:
                self._unready_since = time.monotonic()


def dead_agents(app: "CatDogApp") -> list[str]:
    """Return the names of agents that have started and no longer run."""
    return [
        name
        for name, agent in app.agents.items()
        if agent.started
        and not any(
            actor.actor_task is not None and not actor.actor_task.done()
            for actor in tuple(agent._actors)
        )
    ]


def health_problems(app: "CatDogApp") -> list[str]:
    """Return the problems that only a restart can repair; empty if the worker is alive."""
    problems = [f"The agent {name} is not running." for name in dead_agents(app)]
    problems += app.inference.problems
    if app.failure is not None:
        problems.append(f"The worker stops: {app.failure}")
    if stalled := app.watchdog.progress.stalled_seconds:
        problems.append(f"Work waits, and none got done for {stalled:.0f} s.")
    return problems


async def readiness_problems(app: "CatDogApp") -> list[str]:
    """Return the reasons why the worker cannot answer requests now; empty if it is ready.

    Every client of the web server can read them, so only the log has the addresses of brokers.
    """
    return [without_addresses(problem) for problem in await _readiness_problems(app)]


def without_addresses(text: str) -> str:
    """Return the text with every ``host:port`` replaced."""
    return _ADDRESS.sub("(an address, see the log)", text)


async def _readiness_problems(app: "CatDogApp") -> list[str]:
    problems = health_problems(app)
    broker_problem = await app.cluster_readiness.problem_now()
    if broker_problem is not None:
        return [*problems, broker_problem]
    problems += silence(waiting_longest(), _group_silence(app))
    if not app.work.warm:
        problems.append(_JURY if app.role.is_jury else _WARMING)
    if (refused := _refused(app)) is not None:
        problems.append(refused)
    elif not app.settled:
        problems.append(_ASSIGNING)
    elif not assigned(app):
        problems.append(SPARE)
    return problems


def silence(waiting: tuple[float, str] | None, group_silence: float | None) -> list[str]:
    """Return the problems if Kafka is silent, even if only on this worker's connections.

    Args:
        waiting: seconds that the oldest unanswered request has waited, and its address.
        group_silence: seconds since the last response of the group.
    """
    problems = []
    if waiting is not None and waiting[0] > deadlines.SILENCE:
        problems.append(f"Kafka at {waiting[1]} has not answered for {waiting[0]:.0f} s.")
    if group_silence is not None and group_silence > deadlines.SILENCE:
        problems.append(f"The group of the workers has not answered for {group_silence:.0f} s.")
    return problems


def _group_silence(app: "CatDogApp") -> float | None:
    """Return the seconds since the group's last response; ``None`` while this worker joins."""
    coordinator = _coordinator(app) if app.settled else None
    return None if coordinator is None else time.monotonic() - coordinator.answered_at


def _refused(app: "CatDogApp") -> str | None:
    """Return why the group refuses this worker; ``None`` if it does not."""
    coordinator = _coordinator(app)
    return None if coordinator is None else coordinator.refused


def _coordinator(app: "CatDogApp") -> MendedGroupCoordinator | None:
    try:
        coordinator = app.consumer._thread._consumer._coordinator  # type: ignore[attr-defined]
    except (AttributeError, ConsumerNotStarted):
        return None
    # Faust uses another coordinator before the consumer has subscribed.
    return coordinator if isinstance(coordinator, MendedGroupCoordinator) else None


def assigned(app: "CatDogApp") -> set[TP]:
    """Return this worker's partitions of the topic whose records it answers."""
    try:
        return {tp for tp in app.consumer.assignment() if tp.topic == app.role.reads}
    except ConsumerNotStarted:
        return set()


async def _work_waits(app: "CatDogApp") -> bool:
    """Return true if requests are in flight or unread, or a rebalance has not finished."""
    if not app.cluster_readiness.passed:
        return False
    if app.work.in_flight or not app.settled:
        return True
    if app.role.is_jury and app.aggregation.waits:
        return False
    try:
        async with asyncio.timeout(deadlines.LOOK):
            return await cast("Consumer", app.consumer).work_waits(app.role.reads)
    except ConsumerNotStarted:
        return False
    except TimeoutError:
        return True  # the consumer's thread does not respond
