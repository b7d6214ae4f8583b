"""Correcting counts while they go on: what a recount found, as differences.

Whoever recounts knows the committed counts of a partition and what they should have been. Its owner
has counted on since, so it is told the difference, which can be added at any later time. Each
recount has a number, and each correction names the recount that it was made upon: it is added once,
to what it was made for.
"""

from collections.abc import Mapping
from typing import Literal, TypedDict

import orjson

from catdog_stream.delivery.counting import MAX_NAMES, OTHER, Shard

__all__ = ["KINDS", "Correction", "corrected", "correction", "from_mail", "to_mail"]

Kind = Literal["labels", "rejections"]
KINDS: tuple[Kind, ...] = ("labels", "rejections")


class Correction(TypedDict):
    """What is to be added to the counts of one partition."""

    #: The number of the recount, and of the one whose result it corrects; 0 is none.
    recount: int
    base: int
    #: Name to difference; never 0.
    labels: dict[str, int]
    rejections: dict[str, int]


def correction(committed: Shard, found: Shard, number: int) -> Correction | None:
    """The difference that turns ``committed`` into ``found``; ``None`` if there is none."""
    differences = {kind: _difference(committed[kind], found[kind]) for kind in KINDS}
    if not any(differences.values()):
        return None
    return {
        "recount": number,
        "base": committed.get("recount", 0),
        "labels": differences["labels"],
        "rejections": differences["rejections"],
    }


def corrected(shard: Shard, by: Correction) -> Shard | None:
    """The counts with the correction added; ``None`` if it was made for others, or was added."""
    if by["base"] != shard.get("recount", 0) or by["recount"] == by["base"]:
        return None
    result = shard.copy()
    for kind in KINDS:
        result[kind] = _sum(shard[kind], by[kind])
    result["recount"] = by["recount"]
    return result


def to_mail(by: Correction) -> str:
    """The correction as text for Kafka's coordinator."""
    return orjson.dumps(by).decode()


def from_mail(text: str) -> Correction | None:
    """The correction in such a text; ``None`` if it is none."""
    try:
        document = orjson.loads(text)
        return {
            "recount": int(document["recount"]),
            "base": int(document["base"]),
            "labels": {str(name): int(more) for name, more in document["labels"].items()},
            "rejections": {str(name): int(more) for name, more in document["rejections"].items()},
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _difference(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    names = dict.fromkeys((*before, *after))
    differences = {name: after.get(name, 0) - before.get(name, 0) for name in names}
    return {name: more for name, more in differences.items() if more}


def _sum(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    names = dict.fromkeys((*counts, *more))
    sums = {name: counts.get(name, 0) + more.get(name, 0) for name in names}
    result: dict[str, int] = {}
    for name, count in sums.items():
        if count > 0:
            # One place is kept for those that have none.
            kept = name if len(result) < MAX_NAMES - 1 or name in (OTHER, *result) else OTHER
            result[kept] = result.get(kept, 0) + count
    return result
