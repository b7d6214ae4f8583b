"""Building blocks of the page's sections."""

from collections import defaultdict
from collections.abc import Mapping

from catdog_stream.models.verdict import UNKNOWN
from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.recording.history import OTHERS

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


def top(counts: Mapping[str, int], most: int) -> list[tuple[str, int]]:
    """Return the ``most`` most frequent names; the last of them sums the others."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ranked) <= most:
        return ranked
    return [*ranked[: most - 1], (OTHERS, sum(number for _, number in ranked[most - 1 :]))]
