"""Corrections of counts in use: the result of a recount, as differences.

A recount compares the committed counts of a partition with the correct ones. The owner of the
partition counts on meanwhile, so it receives the difference, which it can add at any later time.
Each recount has a number, and each correction names the recount that it is based on: so a
correction is added once, and only to the counts that it was made for.
"""

import itertools
import logging
from collections.abc import Mapping
from typing import Literal, TypedDict

import orjson

from catdog_stream.delivery.counting import MAX_METADATA_BYTES, MAX_NAMES, OTHER, Shard
from catdog_stream.documents import convert

__all__ = [
    "KINDS",
    "Correction",
    "corrected",
    "correction",
    "difference",
    "fitting",
    "from_mail",
    "summed",
    "to_mail",
]

logger = logging.getLogger(__name__)

Kind = Literal["labels", "rejections"]
KINDS: tuple[Kind, ...] = ("labels", "rejections")


class Correction(TypedDict):
    """Differences to add to the counts of one partition."""

    #: Number of this recount, and of the recount whose result it corrects; 0 means none.
    recount: int
    base: int
    #: Name to difference; never 0.
    labels: dict[str, int]
    rejections: dict[str, int]


def correction(committed: Shard, found: Shard, number: int) -> Correction | None:
    """Return the difference that turns ``committed`` into ``found``; ``None`` if they agree."""
    differences = {kind: difference(committed[kind], found[kind]) for kind in KINDS}
    if not any(differences.values()):
        return None
    return {
        "recount": number,
        "base": committed.get("recount", 0),
        "labels": differences["labels"],
        "rejections": differences["rejections"],
    }


def corrected(shard: Shard, by: Correction) -> Shard | None:
    """Return the corrected counts; ``None`` if the correction is for others, or already added."""
    if by["base"] != shard.get("recount", 0) or by["recount"] == by["base"]:
        return None
    result = shard.copy()
    for kind in KINDS:
        result[kind] = _bounded(summed(shard[kind], by[kind]))
    result["recount"] = by["recount"]
    return result


def fitting(by: Correction) -> Correction:
    """Return the correction with as many of its names as Kafka accepts as metadata."""
    result: Correction = {**by, "labels": {}, "rejections": {}}
    size = len(orjson.dumps(result))
    for kind in KINDS:
        for name, change in by[kind].items():
            size += len(orjson.dumps({name: change}))  # the braces stand for a comma
            if size <= MAX_METADATA_BYTES:
                result[kind][name] = change
    return result


def to_mail(by: Correction) -> str:
    """Return the correction as text for Kafka's coordinator."""
    return orjson.dumps(by).decode()


def from_mail(text: str) -> Correction | None:
    """Return the correction in a text from the coordinator; ``None`` if the text is invalid."""
    try:
        return convert(orjson.loads(text), Correction)
    except ValueError as error:
        logger.debug("The text is no correction of counts: %s.", error)
        return None


def difference(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """Return by how much each count of ``after`` is larger; names that agree are left out."""
    differences = {name: after.get(name, 0) - before.get(name, 0) for name in (*before, *after)}
    return {name: more for name, more in differences.items() if more}


def summed(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Return the counts with the differences added; names without a count are left out."""
    sums = {name: counts.get(name, 0) + more.get(name, 0) for name in (*counts, *more)}
    return {name: count for name, count in sums.items() if count > 0}


def _bounded(counts: dict[str, int]) -> dict[str, int]:
    """Return the counts with names beyond the limit counted as ``OTHER``."""
    result = dict(itertools.islice(counts.items(), MAX_NAMES))
    if beyond := sum(counts.values()) - sum(result.values()):
        result[OTHER] = result.get(OTHER, 0) + beyond
    return result
