"""What the sections of the page are made of."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from catdog_stream.models.verdict import UNKNOWN
from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.recording.history import OTHERS

__all__ = ["COLORS", "ODD", "Section", "When", "bar", "colors", "table", "top"]

#: Colors of labels in the style sheet; more labels share them.
COLORS = 6
#: Columns that fit a phone; a table of more is scrolled there.
MANY = 3
#: That of all labels without one.
NO_COLOR = "cx"

#: What reading a fact may raise where a worker of another version has other facts.
ODD = (TypeError, KeyError, IndexError, ValueError, AttributeError, ArithmeticError, RecursionError)

#: Makes a ``time`` element of seconds since the epoch.
When = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page under a heading of its own.

    The page and its live updates show all sections of ``sections.SECTIONS`` in their order; what
    other parts of a worker tell about (see ``state.WorkerState.facts``) gets one more there.
    """

    #: Its id on the page.
    name: str
    title: str
    #: Its HTML, without the heading, of the cluster; empty where there is nothing to tell: then it
    #: is not shown. ``When`` makes the times in it.
    body: Callable[[ClusterView, When], str]
    #: HTML below it that is the browser's to keep up to date.
    tail: Callable[[ClusterView], str] | None = None
    #: Two columns wide where there is room for it.
    wide: bool = False


def bar(*parts: tuple[float, str]) -> str:
    """A bar of parts, each with its length, 0 to 1, and its color; what it says is read beside."""
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
    """The color of each label, and of any other text: a class and a token of the style sheet.

    It stays the same while counts overtake each other, and whatever others publish. What is no
    class of a stack, such as ``unknown``, has none of its own.
    """
    classes = list(view.classes) or sorted(view.statistics.labels.keys() - {UNKNOWN})
    known = {name: f"c{number % COLORS}" for number, name in enumerate(classes)}
    none = dict.fromkeys(view.statistics.labels, NO_COLOR)
    return defaultdict(lambda: NO_COLOR, {**none, **known})


def top(counts: Mapping[str, int], most: int) -> list[tuple[str, int]]:
    """The most frequent first; what is beyond ``most`` names is one more: others."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ranked) <= most:
        return ranked
    return [*ranked[: most - 1], (OTHERS, sum(number for _, number in ranked[most - 1 :]))]


def table(caption: str, heads: Iterable[str], rows: Iterable[str]) -> str:
    """A table of rows in HTML; its heads are HTML as well."""
    heads = list(heads)
    many = ' class="many"' if len(heads) > MANY else ""
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    return (
        f'<div class="scroll" data-key="{caption}" tabindex="0" role="region" '
        f'aria-label="{caption}"><table{many}>'
        f'<caption class="unseen">{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
