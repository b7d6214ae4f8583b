"""What this worker tells of itself."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from catdog_stream import __version__
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.web.cluster.counts import Shards, local_shards
from catdog_stream.web.cluster.state import WorkerState
from catdog_stream.web.live.facts import facts
from catdog_stream.web.recording.recorder import Recorder
from catdog_stream.worker.health import assigned, readiness_problems

if TYPE_CHECKING:
    from catdog_stream.worker.application import CatDogApp

__all__ = ["Own"]

#: Seconds that are waited to know whether this worker is ready.
LOOK = 0.1


class Own:
    """What this worker tells of itself.

    Args:
        tables: those that count.
        recorder: its notes.
    """

    def __init__(
        self, app: "CatDogApp", tables: Iterable[CommittedTable], recorder: Recorder
    ) -> None:
        self._app = app
        self._tables = tuple(tables)
        self._recorder = recorder
        self._problems: Sequence[str] = ("It has not said yet whether it is ready.",)
        self._looking: asyncio.Task[list[str]] | None = None

    async def state(self) -> WorkerState:
        """How this worker is."""
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
        """Its part of the statistics."""
        return local_shards(self._app, self._tables)

    async def _look(self) -> Sequence[str]:
        """What keeps it from working, as far as is known: a broker may be long in answering."""
        looking = self._looking
        if looking is None:
            looking = self._looking = asyncio.create_task(readiness_problems(self._app))
        done, _ = await asyncio.wait((looking,), timeout=LOOK)
        if done:
            if self._looking is looking:  # who waited with us may have been faster
                self._looking = None
            self._problems = _told(looking)
        return self._problems


def _told(looking: asyncio.Task[list[str]]) -> Sequence[str]:
    error = looking.exception()
    return looking.result() if error is None else (f"Its state cannot be told: {error!r}.",)
