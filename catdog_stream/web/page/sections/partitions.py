"""Requests that wait for an answer, by partition."""

from collections.abc import Callable
from typing import Any

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import bar
from catdog_stream.web.page.section import Section
from catdog_stream.web.page.text import thousands

__all__ = ["PARTITIONS", "waiting"]

MOST = 32


def waiting(view: ClusterView, form: Callable[[int], str] = thousands) -> str:
    """Return the number of requests that wait for an answer, or votes for a decision.

    ``form`` formats the number. ``+`` follows if some partitions are unknown; ``-`` means that all
    are.
    """
    known = _known(view)
    more = "+" if len(known) < len(view.lag) else ""
    return f"{form(sum(known))}{more}" if known else "-"


def _known(view: ClusterView) -> list[int]:
    return [number for number in view.lag.values() if number is not None]


def values(view: ClusterView) -> dict[str, Any]:
    """Return one row per partition; of very many partitions, those with the most requests."""
    shown = sorted(sorted(view.lag, key=lambda number: -(view.lag[number] or 0))[:MOST])
    known = _known(view)
    most = max((1, *known))
    return {
        "rows": [
            (number, view.lag[number], bar(((view.lag[number] or 0) / most, "waiting")))
            for number in shown
        ],
        "waiting": waiting(view),
        "votes": view.here.state.facts.get("waits") == "votes",
        "partitions": len(view.lag),
        "unknown": len(view.lag) - len(known),
        "rest": len(view.lag) - len(shown),
    }


PARTITIONS = Section("partitions", "Waiting, by partition", values)
