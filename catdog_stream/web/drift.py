"""The part of the page that holds what the stack says against what it said when it was measured."""

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape

from catdog_stream.pipeline.drift import FEWEST, Drift, Finding

__all__ = ["drift_section"]

_MEANING = {
    "verdicts": "other verdicts are given than to the pictures that the stack was measured on. "
    "That tells what is sent, and is no error by itself.",
    "confidence": "the stack is otherwise sure than of the pictures that it was measured on.",
    "familiarity": "the pictures look otherwise than those that the stack was measured on.",
}


def drift_section(drift: Drift | None) -> str:
    """HTML; nothing where there is nothing to compare with."""
    if drift is None:
        return ""
    head = f"<h2>The last verdicts of {escape(drift.stack)}</h2>\n"
    if not drift.findings:
        return f"{head}<p>Too few to compare: {len(drift)} of {FEWEST}.</p>"
    lines = "\n".join(_sentence(finding) for finding in drift.findings if finding.since)
    rows = "\n".join(row for finding in drift.findings for row in _rows(finding))
    return (
        f"{head}{lines}\n<table>\n<tr><td></td>"
        '<td class="number">then</td><td class="number">now</td></tr>\n'
        f"{rows}\n</table>\n<p>{len(drift)} of this worker, beside those of "
        f"{sum(drift.reference.verdicts.values())} pictures when it was measured.</p>"
    )


def _sentence(finding: Finding) -> str:
    since = datetime.fromtimestamp(finding.since or 0, UTC)
    css_class = "" if finding.quantity == "verdicts" else ' class="warning"'
    return (
        f"<p{css_class}>Since {since:%Y-%m-%d %H:%M} UTC {_MEANING[finding.quantity]} "
        f"(Stability index {finding.index:.2f}; up to {finding.limit:.2f} is no drift.)</p>"
    )


def _rows(finding: Finding) -> Iterator[str]:
    for name, now in finding.now.items():
        what = name if finding.quantity == "verdicts" else f"{finding.quantity}, mean"
        yield (
            f'<tr><td>{escape(what)}</td><td class="number">{finding.before[name]:.1%}</td>'
            f'<td class="number">{now:.1%}</td></tr>'
        )
