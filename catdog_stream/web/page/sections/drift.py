"""Current verdicts of the stacks, compared with those of their reference."""

from collections.abc import Mapping
from typing import Any

from catdog_stream.pipeline.drift import FEWEST
from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import ODD, Section, When, table
from catdog_stream.web.page.text import count, host, plain, share

__all__ = ["DRIFT"]

MOST = 8
QUANTITIES = 3
_MEANING = {
    "verdicts": "other verdicts are given than to the pictures that the stack was measured on. "
    "That tells what is sent, and is no error by itself.",
    "confidence": "the stack is otherwise sure than of the pictures that it was measured on.",
    "familiarity": "the pictures look otherwise than those that the stack was measured on.",
}


def body(view: ClusterView, when: When) -> str:
    """Return a part for each worker whose verdicts drift, and always for this worker."""
    told = view.facts("drift")
    here = view.here.address
    parts = []
    for address, fact in told.items():
        try:
            if address == here or any(each["since"] for each in fact["findings"]):
                parts.append(_part(host(address), fact, when))
        except ODD:
            continue
    return "".join(parts[:MOST])


def _part(worker: str, fact: Any, when: When) -> str:
    stack, verdicts = plain(str(fact["stack"])), int(fact["verdicts"])
    findings = fact["findings"][:QUANTITIES]
    if not findings:
        return (
            f'<p class="fine">The verdicts of {stack} in {plain(worker)} are too few to compare: '
            f"{count(verdicts)} of {count(FEWEST)}.</p>"
        )
    sentences = "".join(_sentence(each, when) for each in findings if each["since"])
    rows = (row for each in findings for row in _rows(each))
    return (
        f"{sentences}{table(f'Verdicts of {stack} in {plain(worker)}', ('', 'Then', 'Now'), rows)}"
        f'<p class="fine">The last {count(verdicts)} verdicts of {stack} in {plain(worker)}, '
        f"beside those on {count(int(fact['measured']))} pictures when it was measured.</p>"
    )


def _sentence(finding: Mapping[str, Any], when: When) -> str:
    quantity = str(finding["quantity"])
    # Other verdicts may be no fault; other pictures or confidences seldom are.
    css_class = "" if quantity == "verdicts" else ' class="notice"'
    return (
        f"<p{css_class}>Drift, begun {when(float(finding['since']))}: {_MEANING[quantity]} "
        f"(Stability index {float(finding['index']):.2f}; up to {float(finding['limit']):.2f} is "
        "no drift.)</p>"
    )


def _rows(finding: Mapping[str, Any]) -> list[str]:
    quantity = str(finding["quantity"])
    return [
        f'<tr><th scope="row">'
        f"{plain(str(name)) if quantity == 'verdicts' else f'{plain(quantity)}, mean'}</th>"
        f'<td class="number">{share(float(then))}</td><td class="number">{share(float(now))}</td>'
        "</tr>"
        for name, (then, now) in list(finding["shares"].items())[:32]
    ]


DRIFT = Section("drift", "Drift", body, wide=True)
