"""Current verdicts of the stacks, compared with those of their reference."""

from typing import Any

from catdog_stream.pipeline.drift import FEWEST
from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import ODD
from catdog_stream.web.page.section import Section
from catdog_stream.web.page.text import host

__all__ = ["DRIFT"]

MOST = 8
QUANTITIES = 3
MOST_NAMES = 32
_MEANING = {
    "verdicts": "other verdicts are given than to the pictures that the stack was measured on. "
    "That tells what is sent, and is no error by itself.",
    "confidence": "the stack is otherwise sure than of the pictures that it was measured on.",
    "familiarity": "the pictures look otherwise than those that the stack was measured on.",
}


def values(view: ClusterView) -> dict[str, Any]:
    """Return each stack whose verdicts drift in some worker, and always those of this worker."""
    here = view.here.address
    stacks = []
    for address, fact in view.facts("drift").items():
        try:
            if address == here or any(each["since"] for each in fact["findings"]):
                stacks.append((host(address), *_stack(fact)))
        except ODD:
            continue
    return {"stacks": stacks[:MOST], "fewest": FEWEST}


def _stack(fact: Any) -> tuple[Any, ...]:
    """Return the stack's name, its number of verdicts, now and measured, and its findings."""
    findings = [_finding(each) for each in fact["findings"][:QUANTITIES]]
    measured = int(fact["measured"]) if findings else 0
    return str(fact["stack"]), int(fact["verdicts"]), measured, findings


def _finding(finding: Any) -> tuple[Any, ...]:
    """Return quantity, begin of its drift or 0, index and limit, shares by name, further names."""
    quantity, since = str(finding["quantity"]), float(finding["since"] or 0.0)
    shares = [
        (str(name), float(then), float(now))
        for name, (then, now) in list(finding["shares"].items())[:MOST_NAMES]
    ]
    meaning = _MEANING[quantity] if since else ""
    # A worker of an older version sends all names.
    further = int(finding.get("names", len(shares))) - len(shares)
    return (
        quantity,
        since,
        meaning,
        float(finding["index"]),
        float(finding["limit"]),
        shares,
        further,
    )


DRIFT = Section("drift", "Drift", values, wide=True)
