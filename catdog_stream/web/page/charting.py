"""Rows of the last hour for charts: for the browser's script, and as SVG without a script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import colors
from catdog_stream.web.page.text import plain
from catdog_stream.web.recording.history import HOUR_SLOTS, OTHERS, SLOT_SECONDS, Slot
from catdog_stream.web.recording.latency import percentile

__all__ = ["MAX_LINES", "Line", "Points", "Row", "lines", "points"]

MAX_LINES = 5
#: Seconds after the end of a slot until all workers have reported it.
SETTLED = 2


class Row(NamedTuple):
    """Slot: its start, labelled requests by label, rejected requests, and latencies in seconds."""

    start: int
    labels: list[int]
    rejected: int
    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Points:
    """Consecutive rows of some time, and the labels that they count."""

    labels: Sequence[str]
    colors: Sequence[str]
    rows: Sequence[Row]

    def document(self) -> dict[str, Any]:
        """Return the rows for JSON."""
        return {
            "step": SLOT_SECONDS,
            "labels": list(self.labels),
            "colors": list(self.colors),
            "rows": [tuple(row) for row in self.rows],
        }


def points(view: ClusterView, last: int | None = None) -> Points:
    """Return the rows of the last hour, or the ``last`` of them, without unfinished slots.

    Labels beyond ``MAX_LINES`` are counted as others.
    """
    counts = view.in_hour.labels
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    known = sorted(ranked[:MAX_LINES])
    labels = [*known, *([OTHERS] if len(ranked) > MAX_LINES and OTHERS not in known else [])]
    end = int(view.now - SETTLED) // SLOT_SECONDS * SLOT_SECONDS
    first = max(min(view.hour, default=end), end - HOUR_SLOTS * SLOT_SECONDS)
    if last is not None:
        first = max(first, end - last * SLOT_SECONDS)
    color = colors(view)
    return Points(
        labels,
        [color[name] for name in labels],
        [
            _row(start, view.hour.get(start, Slot()), labels)
            for start in range(first, end, SLOT_SECONDS)
        ],
    )


def _row(start: int, slot: Slot, labels: Sequence[str]) -> Row:
    counts = [slot.labels.get(name, 0) for name in labels]
    if OTHERS in labels:
        counts[labels.index(OTHERS)] = slot.labelled - sum(
            number for name, number in zip(labels, counts, strict=True) if name != OTHERS
        )
    p50, p99 = percentile(slot.bins, 0.5), percentile(slot.bins, 0.99)
    return Row(start, counts, slot.rejected, p50 and round(p50, 4), p99 and round(p99, 4))


@dataclass(frozen=True, slots=True)
class Line:
    """Line of a chart: its name, its CSS class for the color, and its values."""

    name: str
    color: str
    values: Sequence[float | None]


def lines(name: str, title: str, series: Sequence[Line], form: Callable[[float], str]) -> str:
    """Return a chart that needs no script: lines and their legend.

    The script replaces it with its own chart.

    Args:
        name: id of the chart.
        title: its accessible name.
        series: its lines.
        form: formats a value with its unit.
    """
    most = max((value for line in series for value in line.values if value is not None), default=0)
    paths = "".join(
        f'<path class="{line.color}" d="{_path(line.values, most or 1.0)}"/>' for line in series
    )
    keys = "".join(
        f'<li><i class="{line.color}" aria-hidden="true"></i>{plain(line.name)}</li>'
        for line in series
    )
    return (
        f'<div class="plot" id="{name}-chart" role="group" aria-label="{title}">'
        f'<svg viewBox="0 0 360 100" preserveAspectRatio="none" aria-hidden="true">{paths}</svg>'
        f'<ul class="keys"><li>0 to {form(most)}, the last hour</li>{keys}</ul></div>'
    )


def _path(values: Sequence[float | None], most: float) -> str:
    """Return the SVG path of a line that ends at the right edge, with gaps for missing values.

    A value without neighbours is a line of zero length, which is drawn as a dot.
    """
    parts, pen = [], "M"
    for number, value in enumerate(values, start=HOUR_SLOTS - len(values)):
        if value is None:
            pen = "M"
        else:
            parts.append(f"{pen}{number} {98 - 96 * value / most:.1f}{'h0' if pen == 'M' else ''}")
            pen = "L"
    return "".join(parts)
