"""Corrections of counts in use: the result of a recount, as differences.

A recount compares the committed counts of a partition with the correct ones. The owner of the
partition counts on meanwhile, so it receives the difference, which it can add at any later time.
Each recount has a number, and each correction names the recount that it is based on: so a
correction is added once, and only to the counts that it was made for.
"""

import logging
from collections.abc import Mapping
from typing import Literal, TypedDict

import orjson

from catdog_stream.delivery.counting import MAX_NAMES, OTHER, Shard
from catdog_stream.documents import convert

__all__ = ["KINDS", "Correction", "corrected", "correction", "from_mail", "to_mail"]

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
    """Return the corrected counts; ``None`` if the correction is for others, or already added."""
    if by["base"] != shard.get("recount", 0) or by["recount"] == by["base"]:
        return None
    result = shard.copy()
    for kind in KINDS:
        result[kind] = _sum(shard[kind], by[kind])
    result["recount"] = by["recount"]
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
            # One entry stays free for OTHER, which counts the names that do not fit.
            kept = name if len(result) < MAX_NAMES - 1 or name in (OTHER, *result) else OTHER
            result[kept] = result.get(kept, 0) + count
    return result
