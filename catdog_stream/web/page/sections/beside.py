"""Canaries and shadows, by worker."""

from collections.abc import Callable, Iterator
from typing import Any

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import ODD
from catdog_stream.web.page.section import Section
from catdog_stream.web.page.text import host

__all__ = ["CANARY", "SHADOW"]

MOST = 32


def canaries(view: ClusterView) -> dict[str, Any]:
    """Return each worker with a canary, its stack and its share."""
    return {"canaries": list(_of_each(view, "canary", _canary))}


def shadows(view: ClusterView) -> dict[str, Any]:
    """Return each worker with a shadow, and its agreement with the answers."""
    found = list(_of_each(view, "shadow", _shadow))
    return {"shadows": found, "compared": any(tallies for *_, tallies in found)}


def _of_each(
    view: ClusterView, name: str, values: Callable[[Any], tuple[Any, ...]]
) -> Iterator[tuple[Any, ...]]:
    """Yield each worker, this one first, and values of a fact; malformed facts are skipped."""
    for address, fact in list(view.facts(name).items())[:MOST]:
        try:
            found = values(fact)
        except ODD:
            continue
        yield (host(address), *found)


def _canary(fact: Any) -> tuple[str, float]:
    return str(fact["stack"]), float(fact["share"])


def _shadow(fact: Any) -> tuple[Any, ...]:
    tallies = [
        (str(stack), int(compared), float(agreement), float(mean), float(largest))
        for stack, (compared, agreement, mean, largest) in list(fact["tallies"].items())[:MOST]
    ]
    stack, problem = str(fact["stack"]), str(fact["problem"])
    return stack, float(fact["share"]), int(fact["dropped"]), problem, tallies


CANARY = Section("canary", "Canary", canaries)
SHADOW = Section("shadow", "Shadow", shadows, wide=True)
