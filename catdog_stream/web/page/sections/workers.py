"""Workers by address: their stacks, partitions and health."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.section import Section

__all__ = ["WORKERS", "ranges"]

MOST = 32
#: Standings of workers whose state is out of date: text and CSS class.
_GONE: Mapping[str, tuple[str, str]] = {
    "silent": ("does not answer", "bad"),
    "lost": ("lost", "bad"),
    "left": ("stopped as planned", "wait"),
}


def values(view: ClusterView) -> dict[str, Any]:
    """Return one row per worker, this worker first; this worker's stack, and its special role."""
    shown, here = view.workers[:MOST], view.here.state
    return {
        "rows": [
            (
                *(each, ranges(each.state.partitions), _GONE.get(each.standing)),
                None if each.age is None else view.now - each.age,
            )
            for each in shown
        ],
        "rest": len(view.workers) - len(shown),
        "stack": here.stack,
        "loading": str(here.facts.get("loading", "")),
        "role": str(here.facts.get("role", "")),
    }


def ranges(numbers: Iterable[int]) -> str:
    """Return ``0-3, 7`` for 0, 1, 2, 3 and 7."""
    parts = []
    for _, run in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        those = [number for _, number in run]
        parts.append(str(those[0]) if len(those) == 1 else f"{those[0]}-{those[-1]}")
    return ", ".join(parts[:MOST]) + ("…" if len(parts) > MOST else "")


WORKERS = Section("workers", "Workers", values, wide=True)
