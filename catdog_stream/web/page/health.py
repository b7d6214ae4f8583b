"""State of the stream in words: first line of the page, title, and all other conditions."""

from collections.abc import Mapping

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.health.facts import Cause, Condition, Severity

__all__ = ["TITLES", "Line", "conditions", "headline", "icon", "title_of"]

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


#: Condition, its CSS class, its sign and its word.
Line = tuple[Condition, str, str, str]


def headline(view: ClusterView) -> Line:
    """Return the first line: the state of the stream and its cause."""
    return _line(view.health.headline)


def conditions(view: ClusterView) -> list[Line]:
    """Return all other conditions."""
    first = view.health.headline
    return [_line(each) for each in view.health.conditions if each is not first]


def _line(condition: Condition) -> Line:
    severity = condition.severity
    return condition, severity.name.lower(), _SIGNS[severity], _WORDS[severity]


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
