"""Liveness and readiness of this worker, with the reasons."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

from faust.types import AgentT
from mode import Service

from catdog_stream import deadlines, metrics
from catdog_stream.delivery.group_member import GroupMember
from catdog_stream.errors import AgentError
from catdog_stream.patches.request_deadlines import waiting_longest
from catdog_stream.worker.cluster_readiness import NOT_ANSWERED_YET, ClusterReadiness
from catdog_stream.worker.progress import ProgressWatch

__all__ = [
    "JURY_STARTS",
    "PASSING",
    "SPARE",
    "WARMING",
    "Watchdog",
    "Work",
    "WorkerHealth",
    "silence",
    "without_addresses",
]

_ADDRESS = re.compile(r"(?:\w+://)?(?:\[[0-9A-Fa-f:.]+\]|[\w.-]*\w):\d{1,5}\b(?!:)")

WARMING, JURY_STARTS = "The model is warming up.", "The jury is starting."
_ASSIGNING = "Partitions are being assigned and tables recovered."
#: Temporary reasons, which end soon by themselves.
PASSING = frozenset((NOT_ANSWERED_YET, WARMING, JURY_STARTS, _ASSIGNING))
#: Reason of a worker beyond the number of partitions.
SPARE = "No partition is assigned to this worker."

#: Interval of the watchdog's checks.
LOOK_SECONDS = 1.0


class Work(Protocol):
    """Service that answers requests: the model, or the jury."""

    @property
    def warm(self) -> bool:
        """``True`` if it can answer."""

    @property
    def answered(self) -> int:
        """Number of requests answered since the start."""

    @property
    def in_flight(self) -> int:
        """Number of requests taken and not yet answered."""

    @property
    def waits(self) -> bool:
        """``True`` if it waits for an event that no restart would bring about."""

    @property
    def problems(self) -> Sequence[str]:
        """Problems that only a new process can repair."""

    @property
    def classes(self) -> Sequence[str]:
        """Classes of the labels; empty before they are known."""

    async def abandon(self) -> None:
        """Drop requests that could not be answered in time; Kafka delivers them again."""


class WorkerHealth:
    """Problems of one worker.

    Args:
        work: service that answers requests.
        starting: the problem while it is not warm.
        agents: the agents by name.
        cluster: readiness of the cluster.
        member: this worker in its group.
        failure: returns why the worker stops on its own; ``None`` while it runs.
    """

    def __init__(
        self,
        work: Work,
        *,
        starting: str,
        agents: Mapping[str, AgentT[Any]],
        cluster: ClusterReadiness,
        member: GroupMember,
        failure: Callable[[], BaseException | None],
    ) -> None:
        self._work = work
        self._starting = starting
        self._agents = agents
        self._cluster = cluster
        self._member = member
        self._failure = failure
        self._progress = ProgressWatch(deadlines.STALL)

    @property
    def dead_agents(self) -> list[str]:
        """Names of agents that have started and no longer run."""
        return [
            name
            for name, agent in self._agents.items()
            if agent.started
            and not any(
                actor.actor_task is not None and not actor.actor_task.done()
                for actor in tuple(cast(Any, agent)._actors)
            )
        ]

    @property
    def problems(self) -> list[str]:
        """Problems that only a restart can repair; empty if the worker is alive."""
        problems = [f"The agent {name} is not running." for name in self.dead_agents]
        problems += self._work.problems
        if (failure := self._failure()) is not None:
            problems.append(f"The worker stops: {failure}")
        if stalled := self._progress.stalled_seconds:
            problems.append(f"Work waits, and none got done for {stalled:.0f} s.")
        return problems

    async def readiness_problems(self) -> list[str]:
        """Return the reasons why the worker cannot answer requests now; empty if it is ready.

        Every client of the web server can read them, so only the log has the addresses of brokers.
        """
        return [without_addresses(problem) for problem in await self._readiness_problems()]

    async def _readiness_problems(self) -> list[str]:
        problems = self.problems
        broker_problem = await self._cluster.problem_now()
        if broker_problem is not None:
            return [*problems, broker_problem]
        problems += silence(waiting_longest(), self._member.silence)
        if not self._work.warm:
            problems.append(self._starting)
        if (refusal := self._member.refusal) is not None:
            problems.append(refusal)
        elif not self._member.is_settled:
            problems.append(_ASSIGNING)
        elif not self._member.assigned:
            problems.append(SPARE)
        return problems

    async def observe_progress(self) -> None:
        """Note whether work gets done while some waits."""
        reachable = await self._cluster.problem_now() is None
        self._progress.observe(
            self._work.answered,
            # Without a broker nothing can be done, and a restart would not help.
            waiting=reachable and await self._work_waits(),
        )

    async def _work_waits(self) -> bool:
        """Return true if requests are in flight or unread, or a rebalance has not finished."""
        if not self._cluster.passed:
            return False
        if self._work.in_flight or not self._member.is_settled:
            return True
        return not self._work.waits and await self._member.has_unread()


class Watchdog(Service):
    """Service that ends the worker when an agent has ended, and detects a stall.

    Args:
        health: health of the worker.
        is_stopping: returns true if the worker stops already.
        on_failure: called with the reason when the worker must stop.
    """

    def __init__(
        self,
        health: WorkerHealth,
        *,
        is_stopping: Callable[[], bool],
        on_failure: Callable[[BaseException], None],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._health = health
        self._is_stopping = is_stopping
        self._on_failure = on_failure
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
            dead = self._health.dead_agents
            if dead and not self._is_stopping():
                self._on_failure(AgentError(f"The agent {dead[0]} ended: the worker ends too."))
            await self._health.observe_progress()
            is_ready = not await self._health.readiness_problems()
            metrics.READY.set(is_ready)
            if is_ready:
                self._unready_since = None
            elif self._unready_since is None:
                self._unready_since = time.monotonic()


def without_addresses(text: str) -> str:
    """Return the text with every ``host:port`` replaced."""
    return _ADDRESS.sub("(an address, see the log)", text)


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
