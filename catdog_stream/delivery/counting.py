"""Counts that count each request once, despite redelivery, late writes and forged records.

The counts of a partition and the offset up to which they count form one value, a `Shard`. It is
written to Kafka as the metadata of the partition's committed offset: in one write, which the
group's coordinator accepts only from the partition's owner. So a new owner continues exactly at the
committed state, and a worker that was cut off cannot overwrite it, however late its write arrives.

The counts cover the requests that a worker has answered and acknowledged, not the records in the
topics: a label that was published twice, or beside a rejection, is one answer. Labels that other
programs write into ``catdoglabel`` are counted in separate shards (see ``agents.count``).
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

import orjson

from catdog_stream.delivery.marks import Mark, is_mark, remembered
from catdog_stream.messages.raw_json import loads
from catdog_stream.messages.wire import Headers, Source

__all__ = [
    "MAX_COUNTS_TEXT",
    "MAX_METADATA_BYTES",
    "MAX_NAME",
    "MAX_NAMES",
    "OTHER",
    "Shard",
    "counted",
    "counting_source",
    "cut_off",
    "from_document",
    "from_metadata",
    "has_room",
    "label_of",
    "marked",
    "reason_of",
    "to_metadata",
]

#: Kafka's default limit for the metadata of an offset, in bytes (``offset.metadata.max.bytes``).
MAX_METADATA_BYTES = 4096

#: Largest shard that is written as metadata; the rest is for the marks of ``suspects``.
MAX_COUNTS_TEXT = MAX_METADATA_BYTES - 64

UNKNOWN = "unknown"
#: Name for the counts of all further names once there is no room for more.
OTHER = "other"
#: Longest name in characters; longer ones are cut. A label is a word, and is kept for ever.
MAX_NAME = 64
#: Most labels, and most reasons, in one shard, and the bytes of their JSON: a shard is a record in
#: Kafka, which accepts 1 MB by default.
MAX_NAMES = 10_000
MAX_NAMES_BYTES = 800_000
#: Names and counts that fit into ``MAX_NAMES_BYTES`` whatever they are.
_SURELY_FIT = MAX_NAMES_BYTES // (4 * MAX_NAME + 24)

#: A match starts only at the start of a name, so the search stays linear in untrusted text.
_PERCENTAGE = re.compile(r"(?<![\w-])([\w-]+) (\d+(?:\.\d+)?)%")


class Shard(TypedDict):
    """Counts of the answers to one partition."""

    #: Label to number of requests.
    labels: dict[str, int]
    #: Reason to number of requests.
    rejections: dict[str, int]
    #: First offset that is not counted.
    offset: int
    #: Number of the recount that corrected the counts last (see ``count_corrections``).
    recount: NotRequired[int]
    #: Marks of records in the counted log, newest first (see ``marks``).
    marks: NotRequired[list[Mark]]


def counted(
    shard: Shard | None, kind: Literal["labels", "rejections"], name: str, offset: int
) -> Shard | None:
    """Return the shard with one more ``name``; ``None`` if ``offset`` was counted before."""
    if shard is None:
        shard = {"labels": {}, "rejections": {}, "offset": 0}
    if offset < shard["offset"]:
        return None
    counts = dict(shard[kind])
    if name not in counts and not has_room(counts):
        name = OTHER
    counts[name] = counts.get(name, 0) + 1
    result = shard.copy()
    result[kind] = counts
    result["offset"] = offset + 1
    return result


def has_room(counts: Mapping[str, int]) -> bool:
    """Return whether another name fits into the counts of a shard, beside ``OTHER``."""
    if len(counts) < _SURELY_FIT:
        return True
    return len(counts) < MAX_NAMES and len(orjson.dumps(counts)) < MAX_NAMES_BYTES


def marked(shard: Shard, mark: Mark) -> Shard:
    """Return the shard with the mark of the last counted record."""
    result = shard.copy()
    result["marks"] = remembered(shard.get("marks"), mark)
    return result


def cut_off(shard: Shard, behind: int) -> Shard:
    """Return the shard without the marks at offset ``behind`` or later, whose records are lost."""
    result = shard.copy()
    marks = result.pop("marks", [])
    for mark in reversed(marks):
        if mark[0] < behind:
            result = marked(result, mark)
    return result


def to_metadata(shard: Shard) -> str | None:
    """Return the shard as text for Kafka's coordinator; ``None`` if it is too long."""
    document = orjson.dumps(shard)
    return document.decode() if len(document) <= MAX_COUNTS_TEXT else None


def from_metadata(text: str) -> Shard | None:
    """Return the shard in the metadata of a committed offset; ``None`` if it holds no shard."""
    try:
        return from_document(orjson.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def from_document(document: Any) -> Shard:
    """Return the shard in a JSON document; an ordinary error of Python if it holds none."""
    shard: Shard = {
        "labels": {str(name): int(count) for name, count in document["labels"].items()},
        "rejections": {str(name): int(count) for name, count in document["rejections"].items()},
        "offset": int(document["offset"]),
    }
    if "recount" in document:
        shard["recount"] = int(document["recount"])
    if marks := [mark for mark in document.get("marks", ()) if is_mark(mark)]:
        shard["marks"] = marks
    return shard


def counting_source(
    headers: Headers, own: Source, *, requests_topic: str, partitions: int
) -> Source:
    """Return the place that identifies an answer: its request, or itself for a foreign record.

    A ``source`` header is trusted only if it is plausible: it names the topic of requests and a
    partition whose answers belong to this partition.
    """
    source = Source.parse(dict(headers).get("source"))
    if (
        source is not None
        and source.topic == requests_topic
        and source.partition % partitions == own.partition
    ):
        return source
    return own


def label_of(value: bytes | None, headers: Headers) -> str:
    """Return the label of a record of ``catdoglabel``: its header, or the likeliest in its text."""
    verdict = dict(headers).get("verdict")
    if verdict:
        return _name(verdict)
    try:
        text = loads(value or b"")["label"]
        percentages = {name: float(percent) for name, percent in _PERCENTAGE.findall(text)}
    except (ValueError, KeyError, TypeError):
        return UNKNOWN
    return _cut(max(percentages, key=lambda name: percentages[name])) if percentages else UNKNOWN


def reason_of(headers: Headers) -> str:
    """Return the reason of a record of ``catdogimage-rejected``."""
    return _name(dict(headers).get("reason"))


def _name(header: bytes | None) -> str:
    return _cut((header or b"").decode("utf-8", "replace").strip()) or UNKNOWN


def _cut(name: str) -> str:
    """Cut the name to its limit; replace unprintable characters, which JSON would lengthen."""
    return "".join(each if each.isprintable() else "?" for each in name[:MAX_NAME])
