"""Counting each request once, whatever is delivered twice, written late or made up.

The counts of a partition and the offset up to which they count form one value, a `Shard`. It goes
to Kafka as the metadata of the partition's committed offset: in one write, which the group's
coordinator refuses from anybody but the partition's owner. So whoever takes over goes on from
exactly what was committed, and whoever was cut off can overwrite nothing, however late it writes.

What counts is what a worker has answered and acknowledged, not what stands in the topics: a label
that was published twice, or beside a rejection, is one answer. Labels that other programs write
into ``catdoglabel`` are counted in shards of their own (see ``agents.count``).
"""

import re
from typing import Literal, NotRequired, TypedDict

import orjson

from catdog_stream.delivery.marks import Mark, is_mark, remembered
from catdog_stream.raw_json import loads
from catdog_stream.wire import Headers, Source

__all__ = [
    "MAX_METADATA_BYTES",
    "OTHER",
    "Shard",
    "counted",
    "counting_source",
    "cut_off",
    "from_metadata",
    "label_of",
    "marked",
    "reason_of",
    "to_metadata",
]

#: What Kafka takes as the metadata of an offset by default (``offset.metadata.max.bytes``).
MAX_METADATA_BYTES = 4096

UNKNOWN = "unknown"
#: What names are counted as that come when there are ``MAX_NAMES`` already.
OTHER = "other"
#: Bytes of a name in UTF-8; longer ones are cut. A label is a word, and each one is kept for ever.
MAX_NAME_BYTES = 32
#: Different labels, and different reasons, in one shard. With names as long as they may be, and
#: counts of 15 digits, its JSON stays below the 4,096 bytes that Kafka takes as metadata
#: (``offset.metadata.max.bytes``).
MAX_NAMES = 24

#: Names begin where no name goes on: so the search stays linear in a stranger's text.
_PERCENTAGE = re.compile(r"(?<![\w-])([\w-]+) (\d+(?:\.\d+)?)%")


class Shard(TypedDict):
    """What was answered of one partition."""

    #: Label to number of requests.
    labels: dict[str, int]
    #: Reason to number of requests.
    rejections: dict[str, int]
    #: The first offset that they do not count.
    offset: int
    #: The number of the recount that corrected them last (see ``correcting``).
    recount: NotRequired[int]
    #: Records of the log that they were counted from, newest first (see ``marks``).
    marks: NotRequired[list[Mark]]


def counted(
    shard: Shard | None, kind: Literal["labels", "rejections"], name: str, offset: int
) -> Shard | None:
    """The shard with one more ``name``, or ``None`` if ``offset`` was counted before."""
    if shard is None:
        shard = {"labels": {}, "rejections": {}, "offset": 0}
    if offset < shard["offset"]:
        return None
    counts = dict(shard[kind])
    if name not in counts and len(counts) >= MAX_NAMES:
        name = OTHER
    counts[name] = counts.get(name, 0) + 1
    result = shard.copy()
    result[kind] = counts
    result["offset"] = offset + 1
    return result


def marked(shard: Shard, mark: Mark) -> Shard:
    """Return the shard with the mark of the record that was counted last."""
    result = shard.copy()
    result["marks"] = remembered(shard.get("marks"), mark)
    return result


def cut_off(shard: Shard, behind: int) -> Shard:
    """Return the shard without the marks of records at ``behind`` or later, which are lost."""
    result = shard.copy()
    marks = result.pop("marks", [])
    for mark in reversed(marks):
        if mark[0] < behind:
            result = marked(result, mark)
    return result


def to_metadata(shard: Shard) -> str:
    """The shard as text for Kafka's coordinator; without its marks where there is no room."""
    document = orjson.dumps(shard)
    if len(document) > MAX_METADATA_BYTES and "marks" in shard:
        bare = shard.copy()
        del bare["marks"]
        document = orjson.dumps(bare)
    return document.decode()


def from_metadata(text: str) -> Shard | None:
    """The shard in the metadata of a committed offset; ``None`` if somebody else has written it."""
    try:
        document = orjson.loads(text)
        shard: Shard = {
            "labels": {str(name): int(count) for name, count in document["labels"].items()},
            "rejections": {str(name): int(count) for name, count in document["rejections"].items()},
            "offset": int(document["offset"]),
        }
        if "recount" in document:
            shard["recount"] = int(document["recount"])
        if marks := [mark for mark in document.get("marks", ()) if is_mark(mark)]:
            shard["marks"] = marks
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return shard


def counting_source(
    headers: Headers, own: Source, *, requests_topic: str, partitions: int
) -> Source:
    """What identifies an answer: its request, or itself if another service wrote it.

    A ``source`` header is believed only where it can be right: it names the topic of requests
    and a partition whose answers belong into this partition.
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
    """The label of a record of ``catdoglabel``: its header, or the likelier one of its text."""
    verdict = dict(headers).get("verdict")
    if verdict:
        return _name(verdict)
    try:
        text = loads(value or b"")["label"]
        chances = {name: float(percent) for name, percent in _PERCENTAGE.findall(text)}
    except (ValueError, KeyError, TypeError):
        return UNKNOWN
    return _cut(max(chances, key=lambda name: chances[name])) if chances else UNKNOWN


def reason_of(headers: Headers) -> str:
    """The reason of a record of ``catdogimage-rejected``."""
    return _name(dict(headers).get("reason"))


def _name(header: bytes | None) -> str:
    return _cut((header or b"").decode("utf-8", "replace").strip()) or UNKNOWN


def _cut(name: str) -> str:
    """What is printed is kept: what is not would be longer in JSON than it is."""
    printed = "".join(character if character.isprintable() else "?" for character in name)
    return printed.encode()[:MAX_NAME_BYTES].decode("utf-8", "ignore")
