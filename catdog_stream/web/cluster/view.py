"""State of the whole cluster at one moment, for the page."""

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

#: A worker that has not answered a query for this many seconds does not answer; before, it may be
#: busy.
PATIENCE = 4.0
#: Seconds after a failed query for which a worker counts as silent; a client that uses the state
#: queries it again before that.
FAILED = 10.0
#: Maximum age, in seconds, of a state that counts as recent.
STALE = 10.0

#: ``here``: it renders this page. ``silent``: a member of the group that does not answer. ``left``:
#: no longer a member of the group, after a planned stop. ``lost``: the same without one.
Standing = Literal["here", "answers", "silent", "left", "lost"]


@dataclass(frozen=True, slots=True)
class WorkerView:
    """Worker as known to this worker."""

    address: str
    state: WorkerState
    standing: Standing
    #: Seconds since its last response; ``None`` if there was none.
    age: float | None
    #: Seconds since it left the group; ``None`` while it is a member.
    gone: float | None = None

    @property
    def answers(self) -> bool:
        """``True`` if the worker is a member and reports its state."""
        return self.standing in ("here", "answers")

    @property
    def is_current(self) -> bool:
        """``True`` for a member of the group whose state is recent, so that its faults count.

        Without clients, workers are not queried: an older state is that of the last page.
        """
        return self.gone is None and self.age is not None and self.age <= STALE


@dataclass(frozen=True, slots=True)
class ClusterView:
    """State of the cluster, with this worker."""

    #: Seconds since the epoch.
    now: float
    statistics: Statistics
    #: Answers of the last seconds, by workers that answer.
    recent: Slot
    #: Last hour, by slot start, oldest first.
    hour: Mapping[int, Slot]
    #: Sum of ``hour``.
    in_hour: Slot
    #: Latest first.
    pictures: Sequence[Shot]
    #: Latest rejection of each reason.
    rejected: Mapping[str, Rejected]
    #: Partition to the number of requests without an answer, in the whole group; ``None`` if
    #: unknown.
    lag: Mapping[int, int | None]
    #: This worker first.
    workers: Sequence[WorkerView]
    #: State of the stream.
    health: Health = field(default_factory=Health)

    @property
    def here(self) -> WorkerView:
        """Worker that renders this page."""
        return self.workers[0]

    @property
    def group(self) -> int:
        """Number of workers in the group, including those that do not answer."""
        return sum(each.standing not in ("left", "lost") for each in self.workers)

    @property
    def moving(self) -> int:
        """Number of answering workers that take over partitions and report no counts yet."""
        return sum(each.answers and each.state.shards is None for each in self.workers)

    @property
    def classes(self) -> list[str]:
        """Classes of the workers' stacks, in a stable order."""
        return list(dict.fromkeys(name for each in self.workers for name in each.state.classes))

    def facts(self, name: str) -> dict[str, Any]:
        """Return the workers' values of a fact, by their addresses; for further sections."""
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
    """Return the cluster as known to the worker at ``address``.

    Args:
        address: this worker's address.
        own: its state.
        peers: states of the other workers.
        timeline: the last hour.
        ledger: the counts of all workers.
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
    """Return the counts of all workers, and the number of workers with a recent report."""
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
    """Return the lag known to this worker, or else to another worker that answers."""
    lag: dict[int, int | None] = {}
    for each in workers:
        if each.answers:  # the lag of a silent worker is out of date
            for partition, waiting in each.state.lag.items():
                if lag.get(partition) is None:
                    lag[partition] = waiting
    return dict(sorted(lag.items()))
