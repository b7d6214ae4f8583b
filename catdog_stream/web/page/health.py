"""State of the stream in words: first line of the page, title, and all other conditions."""

from collections.abc import Mapping

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.health.facts import Cause, Condition, Severity
from catdog_stream.web.page.parts import When
from catdog_stream.web.page.text import plain

__all__ = ["TITLES", "conditions", "headline", "icon", "title_of"]

MOST_TEXT = 500
#: Shapes and words, so that the page is readable without colors.
_SIGNS = {Severity.OK: "✓", Severity.INFO: "i", Severity.WARNING: "⚠", Severity.CRITICAL: "✕"}
_WORDS = {
    Severity.OK: "OK",
    Severity.INFO: "Note",
    Severity.WARNING: "Warning",
    Severity.CRITICAL: "Critical",
}
#: Short titles of the causes.
TITLES: Mapping[Cause | None, str] = {
    "not_ready": "Not ready",
    "stalled": "Nothing is answered",
    "falling_behind": "Falling behind",
    "slow": "Slow",
    "lag_unknown": "Waiting requests unknown",
    "rejecting": "Rejecting",
    "worker_silent": "A worker does not answer",
    "worker_lost": "A worker is lost",
    "drift": "Drift",
    "fault": "Warning",
}


def headline(view: ClusterView, when: When) -> str:
    """Return the first line: the state of the stream and its cause."""
    return _line(view.health.headline, when)


def conditions(view: ClusterView, when: When) -> str:
    """Return all other conditions, one line each."""
    first = view.health.headline
    return "".join(_line(each, when) for each in view.health.conditions if each is not first)


def _line(condition: Condition, when: When) -> str:
    severity = condition.severity
    heard = "" if condition.heard is None else f" Last heard {when(condition.heard)}."
    return (
        f'<p class="state {severity.name.lower()}"><b><span aria-hidden="true">'
        f"{_SIGNS[severity]}</span> {_WORDS[severity]}</b> "
        f"{plain(condition.sentence, MOST_TEXT)}{heard}</p>"
    )


def title_of(view: ClusterView) -> str:
    """Return the beginning of the document's title; empty if there is no problem."""
    first = view.health.headline
    if first.severity < Severity.WARNING:
        return ""
    return f"{_SIGNS[first.severity]} {TITLES.get(first.cause, 'Warning')} · "


def icon(view: ClusterView) -> str:
    """Return the file name of the icon, which differs in shape and color by state."""
    severity = view.health.headline.severity
    return "icon.svg" if severity < Severity.WARNING else f"icon-{severity.name.lower()}.svg"
