"""Rows of the last hour for charts: for the browser's script, and as SVG without a script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import colors
from catdog_stream.web.recording.history import HOUR_SLOTS, OTHERS, SLOT_SECONDS, Slot
from catdog_stream.web.recording.latency import percentile

__all__ = ["MAX_LINES", "Chart", "Points", "Row", "chart", "points"]

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

    Labels beyond ``MAX_LINES`` are counted together.
    """
    counts = view.in_hour.labels
    ranked = sorted(counts.keys() - {OTHERS}, key=lambda name: (-counts[name], name))
    known = sorted(ranked[:MAX_LINES])
    labels = [*known, *([OTHERS] if len(counts) > len(known) else [])]
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
        counts[-1] = slot.labelled - sum(counts[:-1])
    p50, p99 = percentile(slot.bins, 0.5), percentile(slot.bins, 0.99)
    return Row(start, counts, slot.rejected, p50 and round(p50, 4), p99 and round(p99, 4))


class Line(NamedTuple):
    """Line of a chart: its name, its CSS class for the color, and its SVG path."""

    name: str
    color: str
    path: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Chart that needs no script: its accessible name, its largest value and its lines."""

    title: str
    most: str
    lines: Sequence[Line]


def chart(
    title: str,
    series: Sequence[tuple[str, str, Sequence[float | None]]],
    form: Callable[[float], str],
) -> Chart:
    """Return a chart of lines, each with a name, a color and values.

    ``form`` formats a value with its unit.
    """
    values = [value for *_, line in series for value in line if value is not None]
    most = max(values, default=0)
    return Chart(
        title,
        form(most),
        [Line(name, color, _path(line, most or 1.0)) for name, color, line in series],
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
