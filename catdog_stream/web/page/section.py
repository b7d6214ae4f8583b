"""Section: a part of the page with its own heading, template and values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.charting import Chart

__all__ = ["Section"]


@dataclass(frozen=True, slots=True)
class Section:
    """Part of the page with its own heading; ``templates/sections/NAME.html`` is its template.

    The page and its live updates show all sections of ``sections.SECTIONS`` in their order. To show
    a further fact of a worker (see ``state.WorkerState.facts``), add a section there.
    """

    #: Its id on the page, and the name of its template.
    name: str
    title: str
    #: Returns the values of its template. A template that renders nothing hides the section.
    values: Callable[[ClusterView], Mapping[str, Any]]
    #: Returns a chart below it that the browser's script replaces and keeps up to date.
    chart: Callable[[ClusterView], Chart] | None = None
    #: ``True``: two columns wide if the screen allows.
    wide: bool = False
