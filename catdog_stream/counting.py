"""Counting each answer once, whatever is delivered twice.

The counts of one request partition and the last offset counted in them form one value, so they
are written together or not at all. Answers come in the order of their offsets (see
``ordering``), so an offset at or before the last one has been counted already.
"""

import re
from typing import TypedDict

import orjson

from catdog_stream.records import Headers, Source

__all__ = ["Shard", "counted", "counting_source", "label_of", "reason_of"]

UNKNOWN = "unknown"
#: Longer names are cut: a label is a word, and the table keeps each one for ever.
MAX_NAME_LENGTH = 64

#: The word boundary keeps the search linear in a stranger's text.
_PERCENTAGE = re.compile(r"\b(\w+) (\d+(?:\.\d+)?)%")


class Shard(TypedDict):
    """The value of the table for one partition."""

    #: Name (a label or a reason) to number of answers.
    counts: dict[str, int]
    #: Topic to the last offset counted from this partition of it.
    offsets: dict[str, int]


def counted(shard: Shard | None, name: str, source: Source) -> Shard | None:
    """The shard with one more ``name``, or ``None`` if ``source`` was counted before."""
    counts = dict(shard["counts"]) if shard else {}
    offsets = dict(shard["offsets"]) if shard else {}
    if source.offset <= offsets.get(source.topic, -1):
        return None
    counts[name] = counts.get(name, 0) + 1
    offsets[source.topic] = source.offset
    return {"counts": counts, "offsets": offsets}


def counting_source(
    headers: Headers, own: Source, *, requests_topic: str, partitions: int
) -> Source:
    """What identifies an answer: its request, or itself if another service wrote it.

    A ``source`` header is believed only where it can be right: it names the topic of requests
    and a partition whose answers belong into this partition. Everything else could make
    answers of other requests look counted.
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
        text = orjson.loads(value or b"")["label"]
        chances = {name: float(percent) for name, percent in _PERCENTAGE.findall(text)}
    except (ValueError, KeyError, TypeError):
        return UNKNOWN
    return max(chances, key=lambda name: chances[name])[:MAX_NAME_LENGTH] if chances else UNKNOWN


def reason_of(headers: Headers) -> str:
    """The reason of a record of ``catdogimage-rejected``."""
    return _name(dict(headers).get("reason"))


def _name(header: bytes | None) -> str:
    return (header or b"").decode("utf-8", "replace").strip()[:MAX_NAME_LENGTH] or UNKNOWN
