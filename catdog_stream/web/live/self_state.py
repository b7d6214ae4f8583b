"""State of this worker for its own page and for other workers."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from catdog_stream import __version__
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.web.cluster.counts import Shards, local_shards
from catdog_stream.web.cluster.state import WorkerState
from catdog_stream.web.live.facts import facts
from catdog_stream.web.recording.recorder import Recorder
from catdog_stream.worker.cluster_readiness import NOT_ANSWERED_YET
from catdog_stream.worker.health import assigned, readiness_problems

if TYPE_CHECKING:
    from catdog_stream.worker.application import CatDogApp

__all__ = ["SelfState"]

#: Maximum seconds to wait for the readiness of this worker.
LOOK = 0.1


class SelfState:
    """State of this worker.

    Args:
        app: the application.
        tables: tables of counts.
        recorder: its recorder.
    """

    def __init__(
        self, app: "CatDogApp", tables: Iterable[CommittedTable], recorder: Recorder
    ) -> None:
        self._app = app
        self._tables = tuple(tables)
        self._recorder = recorder
        self._problems: Sequence[str] = (NOT_ANSWERED_YET,)
        self._looking: asyncio.Task[list[str]] | None = None

    async def state(self) -> WorkerState:
        """Return the current state of this worker."""
        app, recorder = self._app, self._recorder
        return WorkerState(
            version=__version__,
            stack=app.rollout.serving if app.inference.warm else "",
            classes=app.work.classes,
            since=recorder.history.since,
            problems=await self._look(),
            partitions=sorted(tp.partition for tp in assigned(app)),
            lag={
                number: None if lag is None else lag.records
                for number, lag in app.lag.now().items()
            },
            shards=self.shards(),
            recent=recorder.history.recent(),
            pictures=recorder.latest.shots(),
            rejected=recorder.rejected,
            facts=facts(app),
        )

    def shards(self) -> Shards | None:
        """Return this worker's counts by partition; ``None`` while they may be incomplete."""
        return local_shards(self._app, self._tables)

    async def _look(self) -> Sequence[str]:
        """Return the problems of this worker; old ones while a broker is slow to answer."""
        looking = self._looking
        if looking is None:
            looking = self._looking = asyncio.create_task(readiness_problems(self._app))
        done, _ = await asyncio.wait((looking,), timeout=LOOK)
        if done:
            if self._looking is looking:  # another caller that waited may have been faster
                self._looking = None
            self._problems = _told(looking)
        return self._problems


def _told(looking: asyncio.Task[list[str]]) -> Sequence[str]:
    error = looking.exception()
    return looking.result() if error is None else (f"Its state cannot be told: {error!r}.",)
