"""State of the stream in words: first line of the page, title, and all other conditions."""

from collections.abc import Mapping

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.health.facts import Cause, Condition, Severity
from catdog_stream.web.page.parts import When
from catdog_stream.web.page.text import plain

__all__ = ["TITLES", "conditions", "headline", "icon", "title_of"]

MOST_TEXT = 500
#: Shape and word, so that nobody needs the colors.
_SIGNS = {Severity.OK: "✓", Severity.INFO: "i", Severity.WARNING: "⚠", Severity.CRITICAL: "✕"}
_WORDS = {
    Severity.OK: "OK",
    Severity.INFO: "Note",
    Severity.WARNING: "Warning",
    Severity.CRITICAL: "Critical",
}
#: The causes in two or three words.
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
    """The first line: how the stream is, and why."""
    return _line(view.health.headline, when)


def conditions(view: ClusterView, when: When) -> str:
    """All other conditions, a line each."""
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
    """The beginning of the document's title: empty where nothing is wrong."""
    first = view.health.headline
    if first.severity < Severity.WARNING:
        return ""
    return f"{_SIGNS[first.severity]} {TITLES.get(first.cause, 'Warning')} · "


def icon(view: ClusterView) -> str:
    """Name of the icon's file: another shape and color for each state."""
    severity = view.health.headline.severity
    return "icon.svg" if severity < Severity.WARNING else f"icon-{severity.name.lower()}.svg"
