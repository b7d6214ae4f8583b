"""The whole cluster at one moment: everything that the page shows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from catdog_stream.web.cluster.counts import Shards, Statistics
from catdog_stream.web.cluster.ledger import Ledger
from catdog_stream.web.cluster.peers import FRESH, Peer, Peers
from catdog_stream.web.cluster.state import WorkerState
from catdog_stream.web.cluster.timeline import Timeline
from catdog_stream.web.health.facts import Health
from catdog_stream.web.recording.history import Slot, added
from catdog_stream.web.recording.pictures import KEPT, Shot
from catdog_stream.web.recording.recorder import Rejected

__all__ = ["ClusterView", "Standing", "WorkerView", "cluster_view", "statistics"]

#: A worker that has not answered a question for so many seconds does not answer; in less it may be
#: busy.
PATIENCE = 4.0
#: Seconds for which a question that failed says that a worker does not answer: whoever looks asks
#: again before that.
FAILED = 10.0

#: ``here``: it makes this page. ``silent``: of the group, and does not answer. ``left``: of the
#: group no more, after a planned stop. ``lost``: the same without one.
Standing = Literal["here", "answers", "silent", "left", "lost"]


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker, as this one knows it."""

    address: str
    state: WorkerState
    standing: Standing
    #: Seconds since it was heard of; ``None`` if it never was.
    age: float | None
    #: Seconds since it left the group; ``None`` while it is in it.
    gone: float | None = None

    @property
    def answers(self) -> bool:
        """Whether it is there, and tells how it is."""
        return self.standing in ("here", "answers")


@dataclass(frozen=True, slots=True)
class ClusterView:
    """The cluster, and this worker in it."""

    #: Seconds since the epoch.
    now: float
    statistics: Statistics
    #: What was answered in the last seconds, by workers that answer.
    recent: Slot
    #: The last hour, by when its slots begin, the oldest first.
    hour: Mapping[int, Slot]
    #: All of it.
    in_hour: Slot
    #: The latest first.
    pictures: Sequence[Shot]
    #: The latest of each reason.
    rejected: Mapping[str, Rejected]
    #: Partition to how many requests wait for an answer, in the whole group; ``None`` where that is
    #: unknown.
    lag: Mapping[int, int | None]
    #: This one first.
    workers: Sequence[WorkerView]
    #: State of the stream.
    health: Health = field(default_factory=Health)

    @property
    def here(self) -> WorkerView:
        """The worker that makes this page."""
        return self.workers[0]

    @property
    def group(self) -> int:
        """How many workers there are, whether they answer or not."""
        return sum(each.standing not in ("left", "lost") for each in self.workers)

    @property
    def moving(self) -> int:
        """How many of those that answer take over partitions, and do not tell their counts yet."""
        return sum(each.answers and each.state.shards is None for each in self.workers)

    @property
    def classes(self) -> list[str]:
        """What the workers' stacks tell apart, in a stable order."""
        return list(dict.fromkeys(name for each in self.workers for name in each.state.classes))

    def facts(self, name: str) -> dict[str, Any]:
        """What the workers tell under a name, by their addresses; for further sections."""
        return {
            each.address: each.state.facts[name]
            for each in self.workers
            if name in each.state.facts
        }


def cluster_view(
    address: str,
    own: WorkerState,
    peers: Peers,
    timeline: Timeline,
    ledger: Ledger,
    now: float,
) -> ClusterView:
    """The cluster as the worker at ``address`` knows it.

    Args:
        own: its own state.
        peers: the others.
        timeline: the last hour.
        ledger: what all have counted.
        now: seconds since the epoch.
    """
    known = peers.all()
    workers = [
        WorkerView(address, own, "here", 0.0),
        *(
            WorkerView(
                *(each.address, each.state, _standing(each, peers)),
                *(peers.age(each), peers.gone(each)),
            )
            for each in known
        ),
    ]
    hour = timeline.hour(now)
    return ClusterView(
        now=now,
        statistics=statistics(own.shards, peers, ledger),
        recent=added(each.state.recent for each in workers if each.answers),
        hour=hour,
        in_hour=added(hour.values()),
        pictures=_latest(workers),
        rejected=_latest_rejected(workers),
        lag=_lag(workers),
        workers=workers,
    )


def statistics(own: Shards | None, peers: Peers, ledger: Ledger) -> Statistics:
    """The counts of all workers, and how many of the group have just told theirs."""
    group = [each for each in peers.all() if each.left is None]
    answered = sum(
        each.state.shards is not None and (age := peers.age(each)) is not None and age <= FRESH
        for each in group
    )
    return Statistics(
        labels=ledger.total("labels"),
        rejections=ledger.total("rejections"),
        asked=1 + len(group),
        answered=answered + (own is not None),
    )


def _standing(peer: Peer, peers: Peers) -> Standing:
    if peer.left is not None:
        return "left" if peer.planned else "lost"
    return "silent" if peers.is_silent(peer, PATIENCE, FAILED) else "answers"


def _latest(workers: Iterable[WorkerView]) -> list[Shot]:
    shots = {shot.id: shot for each in workers for shot in each.state.pictures}
    return sorted(shots.values(), key=lambda shot: shot.at, reverse=True)[:KEPT]


def _latest_rejected(workers: Iterable[WorkerView]) -> dict[str, Rejected]:
    latest: dict[str, Rejected] = {}
    for each in workers:
        for reason, rejected in each.state.rejected.items():
            if reason not in latest or rejected.at > latest[reason].at:
                latest[reason] = rejected
    return latest


def _lag(workers: Iterable[WorkerView]) -> dict[int, int | None]:
    """Return what this worker has learned, and where it has not, another one that answers."""
    lag: dict[int, int | None] = {}
    for each in workers:
        if each.answers:  # a silent one knew it once
            for partition, waiting in each.state.lag.items():
                if lag.get(partition) is None:
                    lag[partition] = waiting
    return dict(sorted(lag.items()))
