"""State of a worker as other workers read it: validated, and limited to what a page can show.

A peer's response is as untrusted as a record of the stream: any program may answer at its address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, TypeVar

import orjson
import pybase64
from msgspec import Meta, Struct

from catdog_stream.documents import convert
from catdog_stream.web.cluster.counts import Count, ShardCounts, Shards
from catdog_stream.web.recording.history import HOUR_SLOTS, MAX_LABELS, Slot
from catdog_stream.web.recording.latency import BINS
from catdog_stream.web.recording.pictures import KEPT, Shot
from catdog_stream.web.recording.recorder import MAX_TEXT, Rejected

__all__ = ["PeerSnapshot", "WorkerState", "parse_snapshot", "snapshot_document"]

T = TypeVar("T", Shot, Rejected)

#: Maximum number of partitions or classes in a worker's state.
MAX_ITEMS = 10_000
MAX_PROBLEMS = 8
MAX_REASONS = 32
MAX_THUMBNAIL_BYTES = 64 * 1024
#: Maximum number of facts for sections unknown to this module, and bytes of each as JSON.
MAX_FACTS = 32
MAX_FACT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class WorkerState:
    """State of a worker at the time of the query."""

    version: str = ""
    #: Name and version of the stack that answers its next request; empty before it is loaded.
    stack: str = ""
    classes: Sequence[str] = ()
    #: When its recording began, in seconds since the epoch.
    since: float = 0.0
    #: Problems that keep it from working; empty if it is ready.
    problems: Sequence[str] = ()
    #: Partitions assigned to it, of the topic that it reads.
    partitions: Sequence[int] = ()
    #: Partition of the topic that it reads to the number of requests (for a jury: votes) that its
    #: whole group has not answered; ``None`` if unknown.
    lag: Mapping[int, int | None] = field(default_factory=dict)
    #: ``None`` while its tables may be incomplete.
    shards: Shards | None = None
    #: Its answers in the last seconds.
    recent: Slot = field(default_factory=Slot)
    #: Latest first.
    pictures: Sequence[Shot] = ()
    rejected: Mapping[str, Rejected] = field(default_factory=dict)
    #: Facts for further sections of the page: name to any JSON value.
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PeerSnapshot:
    """State of a worker, and its new slots and thumbnails since the last query."""

    state: WorkerState
    #: Slots by their start.
    slots: Mapping[int, Slot] = field(default_factory=dict)
    #: Thumbnails by the pictures' ids.
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    #: Name of the report, for the next query; empty from an older version.
    counted: str = ""
    #: ``True`` if the state has only counts that changed, and no classes (see ``changed_counts``).
    partial: bool = False


def snapshot_document(snapshot: PeerSnapshot) -> dict[str, Any]:
    """Return the snapshot for JSON."""
    state = snapshot.state
    return {
        **(state.shards if state.shards is not None else {"labels": {}, "rejections": {}}),
        "settled": state.shards is not None,
        "state": {
            "version": state.version,
            "stack": state.stack,
            "classes": list(state.classes),
            "since": state.since,
            "problems": list(state.problems),
            "partitions": list(state.partitions),
            "lag": {str(partition): lag for partition, lag in state.lag.items()},
            "recent": _slot_document(state.recent),
            "pictures": [asdict(shot) for shot in state.pictures],
            "rejected": {reason: asdict(each) for reason, each in state.rejected.items()},
            "facts": dict(state.facts),
        },
        "slots": {str(start): _slot_document(slot) for start, slot in snapshot.slots.items()},
        "thumbnails": {
            id_: pybase64.b64encode(small).decode() for id_, small in snapshot.thumbnails.items()
        },
        "counted": snapshot.counted,
        "partial": snapshot.partial,
    }


def parse_snapshot(document: Any) -> PeerSnapshot:
    """Parse a peer's response; an older version sends only its shards.

    Raises:
        ValueError: it is not a worker's response.
    """
    snapshot = convert(document, _Snapshot)
    shards = (
        {"labels": snapshot.labels, "rejections": snapshot.rejections} if snapshot.settled else None
    )
    state = snapshot.state
    if state is None:
        return PeerSnapshot(WorkerState(shards=shards))
    # An older version sends only the lag of its own partitions.
    partitions = list(state.lag) if state.partitions is None else state.partitions
    return PeerSnapshot(
        WorkerState(
            version=state.version[:MAX_TEXT],
            stack=state.stack[:MAX_TEXT],
            classes=state.classes[:MAX_ITEMS],
            since=state.since,
            problems=[problem[:MAX_TEXT] for problem in state.problems[:MAX_PROBLEMS]],
            partitions=partitions[:MAX_ITEMS],
            lag=state.lag,
            shards=shards,
            recent=state.recent.slot(),
            pictures=[_cut(shot) for shot in state.pictures[:KEPT]],
            rejected={reason: _cut(each) for reason, each in state.rejected.items()},
            facts={name: fact for name, fact in state.facts.items() if _is_small(fact)},
        ),
        {start: slot.slot() for start, slot in snapshot.slots.items()},
        # Browsers get the bytes as a JPEG, whatever they are.
        {
            id_: small if len(small) <= MAX_THUMBNAIL_BYTES else b""
            for id_, small in snapshot.thumbnails.items()
        },
        snapshot.counted,
        snapshot.partial,
    )


_Name = Annotated[str, Meta(max_length=MAX_TEXT)]


class _Slot(Struct, array_like=True):
    labels: Annotated[dict[_Name, Count], Meta(max_length=MAX_LABELS + 1)]
    rejected: Count
    bins: list[tuple[Count, Count]]

    def slot(self) -> Slot:
        bins = {bin_: number for bin_, number in self.bins[:BINS] if bin_ < BINS}
        return Slot(self.labels, self.rejected, bins)


class _State(Struct):
    version: str
    stack: str
    classes: list[_Name]
    since: float
    problems: list[str]
    lag: Annotated[dict[Count, Count | None], Meta(max_length=MAX_ITEMS)]
    recent: _Slot
    pictures: list[Shot]
    rejected: Annotated[dict[_Name, Rejected], Meta(max_length=MAX_REASONS)]
    facts: Annotated[dict[_Name, Any], Meta(max_length=MAX_FACTS)]
    partitions: list[Count] | None = None


class _Snapshot(Struct):
    labels: ShardCounts
    rejections: ShardCounts
    settled: bool = True
    state: _State | None = None
    slots: Annotated[dict[Count, _Slot], Meta(max_length=HOUR_SLOTS + 2)] = {}
    thumbnails: Annotated[dict[_Name, bytes], Meta(max_length=KEPT)] = {}
    counted: _Name = ""
    partial: bool = False


def _is_small(fact: Any) -> bool:
    """Return true if a section may use the fact: not too long, and not nested too deeply."""
    try:
        return len(orjson.dumps(fact)) <= MAX_FACT_BYTES
    except orjson.JSONEncodeError:
        return False


def _cut(record: T) -> T:
    """Cut the texts of a record."""
    fields = asdict(record)
    texts = {name: fields[name][:MAX_TEXT] for name in fields if isinstance(fields[name], str)}
    return replace(record, **texts)


def _slot_document(slot: Slot) -> list[Any]:
    return [slot.labels, slot.rejected, sorted(slot.bins.items())]
