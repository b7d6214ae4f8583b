"""Building blocks of the page's sections."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from heapq import nsmallest

from catdog_stream.delivery.counting import OTHER
from catdog_stream.models.verdict import UNKNOWN
from catdog_stream.web.cluster.view import ClusterView

__all__ = ["COLORS", "ODD", "bar", "colors", "top"]

#: Number of label colors in the style sheet; further labels reuse them.
COLORS = 6
#: Color of all labels without their own.
NO_COLOR = "cx"

#: Errors from a fact of unexpected form, as a worker of another version may send.
ODD = (TypeError, KeyError, IndexError, ValueError, AttributeError, ArithmeticError, RecursionError)


def bar(*parts: tuple[float, str]) -> list[tuple[str, str, str]]:
    """Return begin, length and color of the parts of a bar, from length, 0 to 1, and color."""
    rects, begin = [], 0.0
    for part, color in parts:
        length = 100 * min(max(part, 0.0), 1.0)
        rects.append((f"{begin:.2f}", f"{length:.2f}", color))
        begin += length
    return rects


def colors(view: ClusterView) -> Mapping[str, str]:
    """Return the color of each label, and of any other text: CSS class and token.

    The colors do not depend on the order of the counts, nor on labels of other programs. A label
    that is not a class of a stack, such as ``unknown``, has no color of its own.
    """
    classes = list(view.classes) or sorted(view.statistics.labels.keys() - {UNKNOWN})
    known = {name: f"c{number % COLORS}" for number, name in enumerate(classes)}
    none = dict.fromkeys(view.statistics.labels, NO_COLOR)
    return defaultdict(lambda: NO_COLOR, {**none, **known})


def top(
    counts: Mapping[str, int], most: int, classes: Collection[str] = (), of: str = "label"
) -> list[tuple[str, int]]:
    """Return the ``most`` most frequent names and their counts; the last row sums the others."""
    if len(counts) <= most:
        return sorted(counts.items(), key=_rank)
    # What was counted without its name belongs to the last row, too.
    named = {name: count for name, count in counts.items() if name != OTHER or name in classes}
    shown = nsmallest(most - 1, named.items(), key=_rank)
    rest, further = len(named) - len(shown), sum(counts.values()) - sum(n for _, n in shown)
    return [*shown, (f"{rest:,} further {of}{'' if rest == 1 else 's'}", further)]


def _rank(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
