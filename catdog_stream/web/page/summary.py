"""Top of the page: the numbers above all sections, and the problems."""

from collections.abc import Mapping
from typing import Any

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.health.facts import Severity
from catdog_stream.web.page.first_picture import first_picture
from catdog_stream.web.page.health import title_of
from catdog_stream.web.page.parts import bar, colors, top
from catdog_stream.web.page.sections.partitions import waiting
from catdog_stream.web.page.text import compact, one_line, rate, seconds, thousands
from catdog_stream.web.recording.history import RECENT_SECONDS
from catdog_stream.web.recording.latency import percentile

__all__ = ["spoken", "summary", "title"]

#: Maximum number of labels in the summary.
MOST_SHARES = 5
#: Maximum number of silent workers named.
MOST_SILENT = 8
#: Maximum number of conditions that are spoken.
MOST_SPOKEN = 3


def title(view: ClusterView) -> str:
    """Return ``12 pictures classified`` after the worst problem, as plain text."""
    return title_of(view) + _total(view)


def _total(view: ClusterView) -> str:
    return f"{thousands(view.statistics.total)} {_counted(view)}"


def _counted(view: ClusterView) -> str:
    pictures = "picture" if view.statistics.total == 1 else "pictures"
    voter = view.here.state.facts.get("voter")
    return f"{pictures} voted on by {one_line(str(voter))}" if voter else f"{pictures} classified"


def summary(view: ClusterView) -> dict[str, Any]:
    """Return the total, and the current state of the stream."""
    bins, shares = view.recent.bins, _shares(view)
    silent = [each for each in view.workers if each.standing == "silent" and each.age is not None]
    is_empty = not (view.statistics.total or view.statistics.rejected or view.moving)
    return {
        "total": view.statistics.total,
        "counted": _counted(view),
        "since": min((each.state.since for each in view.workers if each.state.since), default=0.0),
        "answering": sum(each.answers for each in view.workers),
        "group": view.group,
        "silent": [(each.address, view.now - (each.age or 0.0)) for each in silent[:MOST_SILENT]],
        "shares": shares,
        "whole": bar(*((part, color) for _, part, color in shares)),
        "tiles": (
            ("arriving/s", arriving(view)),
            ("answered/s", _answered(view)),
            ("typical", seconds(percentile(bins, 0.5))),
            ("slowest 1 %", seconds(percentile(bins, 0.99))),
            ("waiting", waiting(view, compact)),
            ("rejected", compact(view.statistics.rejected)),
        ),
        "command": first_picture() if is_empty else "",
    }


def _shares(view: ClusterView) -> list[tuple[str, float, str]]:
    """Return the labels with their shares and colors, always in the same order."""
    total, color, known = view.statistics.total, colors(view), list(view.classes)
    counts = sorted(
        top(view.statistics.labels, MOST_SHARES, known) if total else (),
        key=lambda each: (known.index(each[0]) if each[0] in known else len(known), each[0]),
    )
    return [(name, number / total, color[name]) for name, number in counts]


def arriving(view: ClusterView) -> str:
    """Return the arriving requests per second of the whole group; ``-`` if unknown."""
    flow = view.here.state.facts.get("flow")
    per_second = flow.get("arriving") if isinstance(flow, Mapping) else None
    return rate(per_second) if isinstance(per_second, float) else "-"


def _answered(view: ClusterView) -> str:
    return rate((view.recent.labelled + view.recent.rejected) / RECENT_SECONDS)


def spoken(view: ClusterView) -> str:
    """Return plain text for a screen reader: first the problems, then the rates."""
    wrong = [each for each in view.health.conditions if each.severity >= Severity.WARNING]
    sentences = [each.sentence for each in wrong[:MOST_SPOKEN]]
    rates = f"{arriving(view)} per second arrive, {_answered(view)} are answered."
    return " ".join((*sentences, f"{_total(view)}, {rates}"))
