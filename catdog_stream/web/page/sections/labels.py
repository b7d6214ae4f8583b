"""Totals and shares by label."""

from typing import Any

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import bar, colors, top
from catdog_stream.web.page.section import Section

__all__ = ["LABELS"]

MOST = 12


def values(view: ClusterView) -> dict[str, Any]:
    """Return one row for each label, the most frequent first; none before the first picture."""
    total, color = view.statistics.total, colors(view)
    counts = top(view.statistics.labels, MOST, view.classes) if total else []
    return {
        "rows": [
            (name, number, number / total, bar((number / total, color[name])))
            for name, number in counts
        ]
    }


LABELS = Section("labels", "Labels", values)
