"""Charts as SVG for a page of HTML, with the colors of the page (``style``)."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from catdog_stream.models.training.intervals import as_text, share_interval

__all__ = ["COLOURS", "curves", "reliability", "square"]

#: Number of CSS classes for colors; further lines use the same colors again.
COLOURS = 8

_SIDE, _WIDTH, _HEIGHT, _LEFT, _BELOW = 320, 640, 220, 44, 36
_MOST_POINTS = 400

Points = Sequence[tuple[float, float]]


def square(lines: Mapping[str, Points], across: str, up: str, *, diagonal: bool) -> str:
    """Return a chart of lines in a square from 0 to 1, such as ROC curves."""
    frame = _Frame(_SIDE, _SIDE, (0, 1), (0, 1))
    parts = [frame.axes(across, up, "{:.1f}", "{:.1f}")]
    if diagonal:
        parts.append(f'<path class="faint dashed" d="{frame.path([(0, 0), (1, 1)])}"/>')
    parts += _lines(frame, lines)
    return frame.svg(parts, f"{up} by {across}")


def reliability(bins: Mapping[str, Sequence[tuple[float, float, int]]]) -> str:
    """Return a reliability diagram: accuracy by confidence, with a dot for each bin.

    The area of a dot grows with the number of pictures in the bin.
    """
    frame = _Frame(_SIDE, _SIDE, (0, 1), (0, 1))
    parts = [
        frame.axes("confidence", "share that is right", "{:.1f}", "{:.1f}"),
        f'<path class="faint dashed" d="{frame.path([(0, 0), (1, 1)])}"/>',
    ]
    for number, (name, found) in enumerate(bins.items()):
        most = max(count for _, _, count in found)
        line = frame.path([(x, y) for x, y, _ in found])
        parts.append(f'<path class="line c{number}" d="{line}"/>')
        for x, y, count in found:
            at_x, at_y = frame.at(x, y)
            radius = 2 + 6 * (count / most) ** 0.5
            between = share_interval(round(y * count), count)
            what = f"{name}: {count} pictures at {x:.1%}, {y:.1%} right ({as_text(between)})"
            parts.append(
                f'<circle class="dot c{number}" cx="{at_x:.1f}" cy="{at_y:.1f}" r="{radius:.1f}">'
                f"<title>{escape(what)}</title></circle>"
            )
    return frame.svg(parts, "share that is right by confidence")


def curves(lines: Mapping[str, npt.NDArray[np.float64]], across: str, up: str) -> str:
    """Return a line chart of values by their index."""
    longest = max(map(len, lines.values()))
    highest = max(float(np.quantile(values, 0.995)) for values in lines.values())
    frame = _Frame(_WIDTH, _HEIGHT, (0, max(1, longest)), (0, max(highest, 1e-6)))
    parts = [frame.axes(across, up, "{:.0f}", "{:.2f}")]
    points = {
        name: [(float(i), min(float(values[i]), highest)) for i in _some(len(values))]
        for name, values in lines.items()
    }
    return frame.svg([*parts, *_lines(frame, points)], f"{up} by {across}")


def _some(count: int) -> Iterator[int]:
    step = max(1, count // _MOST_POINTS)
    yield from range(0, count, step)


def _lines(frame: "_Frame", lines: Mapping[str, Points]) -> Iterator[str]:
    for number, (name, points) in enumerate(lines.items()):
        yield (
            f'<path class="line c{number % COLOURS}" d="{frame.path(points)}">'
            f"<title>{escape(name)}</title></path>"
        )


class _Frame:
    """Coordinate system of a chart, from numbers to positions in the SVG."""

    def __init__(
        self, width: int, height: int, across: tuple[float, float], up: tuple[float, float]
    ) -> None:
        self._width, self._height, self._across, self._up = width, height, across, up

    def at(self, x: float, y: float) -> tuple[float, float]:
        (left, right), (low, high) = self._across, self._up
        return (
            _LEFT + (x - left) / (right - left) * self._width,
            8 + (1 - (y - low) / (high - low)) * self._height,
        )

    def path(self, points: Points) -> str:
        places = (self.at(x, y) for x, y in points)
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)

    def axes(self, across: str, up: str, x_format: str, y_format: str) -> str:
        """Return a grid of six lines each way, with numbers and titles of the axes."""
        parts = []
        for share in np.linspace(0, 1, 6):
            x = self._across[0] + share * (self._across[1] - self._across[0])
            y = self._up[0] + share * (self._up[1] - self._up[0])
            at_x, at_y = self.at(x, y)
            bottom = 8 + self._height
            parts += [
                f'<path class="faint" d="M{at_x:.1f} 8V{bottom}M{_LEFT} {at_y:.1f}'
                f'H{_LEFT + self._width}"/>',
                f'<text x="{at_x:.1f}" y="{bottom + 14}" text-anchor="middle">'
                f"{x_format.format(x)}</text>",
                f'<text x="{_LEFT - 6}" y="{at_y + 4:.1f}" text-anchor="end">'
                f"{y_format.format(y)}</text>",
            ]
        middle = 8 + self._height / 2
        parts += [
            f'<text x="{_LEFT + self._width / 2}" y="{8 + self._height + 30}" '
            f'text-anchor="middle">{escape(across)}</text>',
            f'<text transform="translate(10 {middle}) rotate(-90)" text-anchor="middle">'
            f"{escape(up)}</text>",
        ]
        return "".join(parts)

    def svg(self, parts: Sequence[str], title: str) -> str:
        width, height = self._width + _LEFT + 12, self._height + 8 + _BELOW
        return (
            f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}" '
            f'style="max-width:{width}px">{"".join(parts)}</svg>'
        )
