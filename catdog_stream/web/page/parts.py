"""Building blocks of the page's sections."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from catdog_stream.models.verdict import UNKNOWN
from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.recording.history import OTHERS

__all__ = ["COLORS", "ODD", "Section", "When", "bar", "colors", "table", "top"]

#: Number of label colors in the style sheet; further labels reuse them.
COLORS = 6
#: Columns that fit on a phone; a table with more is scrolled.
MANY = 3
#: Color of all labels without their own.
NO_COLOR = "cx"

#: Errors from a fact of unexpected form, as a worker of another version may send.
ODD = (TypeError, KeyError, IndexError, ValueError, AttributeError, ArithmeticError, RecursionError)

#: Renders seconds since the epoch as a ``time`` element.
When = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Section:
    """Part of the page with its own heading.

    The page and its live updates show all sections of ``sections.SECTIONS`` in their order. To show
    a further fact of a worker (see ``state.WorkerState.facts``), add a section there.
    """

    #: Its id on the page.
    name: str
    title: str
    #: Returns its HTML without the heading; empty to hide the section. ``When`` renders the times.
    body: Callable[[ClusterView, When], str]
    #: Returns HTML below the body that the browser's script keeps up to date.
    tail: Callable[[ClusterView], str] | None = None
    #: ``True``: two columns wide if the screen allows.
    wide: bool = False


def bar(*parts: tuple[float, str]) -> str:
    """Return a bar of parts, each with its length, 0 to 1, and its color; text is beside it."""
    rects, begin = "", 0.0
    for part, color in parts:
        length = 100 * min(max(part, 0.0), 1.0)
        rects += f'<rect class="part {color}" x="{begin:.2f}" width="{length:.2f}" height="1"/>'
        begin += length
    return (
        '<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="rest" width="100" height="1"/>{rects}</svg>'
    )


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


def table(caption: str, heads: Iterable[str], rows: Iterable[str]) -> str:
    """Return an HTML table of ``rows`` in HTML; ``heads`` are HTML as well."""
    heads = list(heads)
    many = ' class="many"' if len(heads) > MANY else ""
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    return (
        f'<div class="scroll" data-key="{caption}" tabindex="0" role="region" '
        f'aria-label="{caption}"><table{many}>'
        f'<caption class="unseen">{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
