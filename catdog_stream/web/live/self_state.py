"""State of this worker for its own page and for other workers."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from catdog_stream import __version__
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.group_lag import GroupLag
from catdog_stream.delivery.group_member import GroupMember
from catdog_stream.web.cluster.counts import Shards, local_shards
from catdog_stream.web.cluster.state import WorkerState
from catdog_stream.web.recording.recorder import Recorder
from catdog_stream.worker.cluster_readiness import NOT_ANSWERED_YET
from catdog_stream.worker.health import Work, WorkerHealth

__all__ = ["SelfState"]

#: Maximum seconds to wait for the readiness of this worker.
LOOK = 0.1


class SelfState:
    """State of this worker.

    Args:
        member: this worker in its group.
        lag: lag of the group.
        health: health of this worker.
        work: service that answers requests.
        stack: returns name and version of the serving stack; empty if there is none.
        tables: tables of counts.
        recorder: its recorder.
        facts: returns further facts for sections of the page.
    """

    def __init__(
        self,
        *,
        member: GroupMember,
        lag: GroupLag,
        health: WorkerHealth,
        work: Work,
        stack: Callable[[], str],
        tables: Iterable[CommittedTable],
        recorder: Recorder,
        facts: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._member = member
        self._lag = lag
        self._health = health
        self._work = work
        self._stack = stack
        self._tables = tuple(tables)
        self._recorder = recorder
        self._facts = facts
        self._problems: Sequence[str] = (NOT_ANSWERED_YET,)
        self._looking: asyncio.Task[list[str]] | None = None

    async def state(self) -> WorkerState:
        """Return the current state of this worker."""
        recorder = self._recorder
        return WorkerState(
            version=__version__,
            stack=self._stack(),
            classes=self._work.classes,
            since=recorder.history.since,
            problems=await self._look(),
            partitions=sorted(tp.partition for tp in self._member.assigned),
            lag={
                number: None if lag is None else lag.records
                for number, lag in self._lag.now().items()
            },
            shards=self.shards(),
            recent=recorder.history.recent(),
            pictures=recorder.latest.shots(),
            rejected=recorder.rejected,
            facts=self._facts(),
        )

    def shards(self) -> Shards | None:
        """Return this worker's counts by partition; ``None`` while they may be incomplete."""
        return local_shards(self._member, self._tables)

    async def _look(self) -> Sequence[str]:
        """Return the problems of this worker; old ones while a broker is slow to answer."""
        looking = self._looking
        if looking is None:
            looking = self._looking = asyncio.create_task(self._health.readiness_problems())
        done, _ = await asyncio.wait((looking,), timeout=LOOK)
        if done:
            if self._looking is looking:  # another caller that waited may have been faster
                self._looking = None
            self._problems = _told(looking)
        return self._problems


def _told(looking: asyncio.Task[list[str]]) -> Sequence[str]:
    error = looking.exception()
    return (
        looking.result() if error is None else (f"The state of this worker is unknown: {error!r}.",)
    )
