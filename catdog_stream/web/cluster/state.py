"""State of a worker as other workers read it: validated, and limited to what a page can show.

A peer's response is as untrusted as a record of the stream: any program may answer at its address.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
import pybase64

from catdog_stream.web.cluster.counts import Shards, count, parse_shards
from catdog_stream.web.recording.history import HOUR_SLOTS, MAX_LABELS, Slot
from catdog_stream.web.recording.latency import BINS
from catdog_stream.web.recording.pictures import KEPT, Shot
from catdog_stream.web.recording.recorder import MAX_TEXT, Rejected

__all__ = ["PeerSnapshot", "WorkerState", "news_document", "parse_news"]

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


def news_document(news: PeerSnapshot) -> dict[str, Any]:
    """Return the snapshot for JSON."""
    state = news.state
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
        "slots": {str(start): _slot_document(slot) for start, slot in news.slots.items()},
        "thumbnails": {
            id_: pybase64.b64encode(small).decode() for id_, small in news.thumbnails.items()
        },
    }


def parse_news(document: Any) -> PeerSnapshot:
    """Parse a peer's response; an older version sends only its shards.

    Raises:
        ValueError: it is not a worker's response.
    """
    try:
        shards = parse_shards(document) if document.get("settled", True) else None
        told = document.get("state")
        if told is None:
            return PeerSnapshot(WorkerState(shards=shards))
        return PeerSnapshot(
            WorkerState(
                version=_text(told["version"]),
                stack=_text(told["stack"]),
                classes=[_text(name) for name in told["classes"][:MAX_ITEMS]],
                since=_number(told["since"]),
                problems=[_text(problem) for problem in told["problems"][:MAX_PROBLEMS]],
                # An older version sends only the lag of its own partitions.
                partitions=[
                    count(partition)
                    for partition in list(told.get("partitions", told["lag"]))[:MAX_ITEMS]
                ],
                lag={
                    count(partition): None if lag is None else count(lag)
                    for partition, lag in _few(told["lag"], MAX_ITEMS)
                },
                shards=shards,
                recent=_slot(told["recent"]),
                pictures=[_shot(shot) for shot in told["pictures"][:KEPT]],
                rejected={
                    _text(reason): Rejected(
                        _number(each["at"]), _text(each["detail"]), _text(each["source"])
                    )
                    for reason, each in _few(told["rejected"], MAX_REASONS)
                },
                facts={
                    _text(name): fact
                    for name, fact in _few(told["facts"], MAX_FACTS)
                    if _is_small(fact)
                },
            ),
            {count(start): _slot(slot) for start, slot in _few(document["slots"], HOUR_SLOTS + 2)},
            {_text(id_): _thumbnail(text) for id_, text in _few(document["thumbnails"], KEPT)},
        )
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError("not a worker's state") from error


def _few(document: Any, most: int) -> Any:
    if len(document) > most:
        raise ValueError("more than there can be")
    return document.items()


def _is_small(fact: Any) -> bool:
    """Return true if a section may use the fact: not too long, and not nested too deeply."""
    try:
        return len(orjson.dumps(fact)) <= MAX_FACT_BYTES
    except orjson.JSONEncodeError:
        return False


def _text(value: Any) -> str:
    return str(value)[:MAX_TEXT]


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number


def _shot(document: Any) -> Shot:
    return Shot(
        id=_text(document["id"]),
        at=_number(document["at"]),
        label=_text(document["label"]),
        confidence=_number(document["confidence"]),
        stack=_text(document["stack"]),
        url=_text(document["url"]),
        source=_text(document["source"]),
    )


def _thumbnail(text: Any) -> bytes:
    small = bytes(pybase64.b64decode(str(text), validate=True))
    # Browsers get the bytes as a JPEG, whatever they are.
    return small if len(small) <= MAX_THUMBNAIL_BYTES else b""


def _slot_document(slot: Slot) -> list[Any]:
    return [slot.labels, slot.rejected, sorted(slot.bins.items())]


def _slot(document: Any) -> Slot:
    labels, rejected, bins = document
    return Slot(
        {_text(label): count(number) for label, number in _few(labels, MAX_LABELS + 1)},
        count(rejected),
        {count(bin_): count(number) for bin_, number in bins[:BINS] if count(bin_) < BINS},
    )
