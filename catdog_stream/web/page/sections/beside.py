"""Canaries and shadows, by worker."""

from collections.abc import Callable, Iterator
from typing import Any

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import ODD, Section, When, table
from catdog_stream.web.page.text import count, host, plain, share

__all__ = ["CANARY", "SHADOW"]

MOST = 32
_HEADS = ("Worker", "Answered by", "Compared", "Agree", "Mean", "Largest")


def canary_body(view: ClusterView, _when: When) -> str:
    """Return one sentence for each worker with a canary."""
    return "".join(_of_each(view, "canary", _canary))


def shadow_body(view: ClusterView, _when: When) -> str:
    """Return one sentence for each worker with a shadow, and its agreement with the answers."""
    sentences = "".join(_of_each(view, "shadow", _shadow))
    rows = list(_of_each(view, "shadow", _rows))
    if not rows:
        return sentences
    caption = "What the shadows make of what was answered"
    note = '<p class="fine">Mean and largest: difference in the chance of a class.</p>'
    return f"{sentences}{table(caption, _HEADS, rows)}{note}"


def _of_each(view: ClusterView, name: str, told: Callable[[str, Any], str]) -> Iterator[str]:
    """Yield the HTML of a fact of each worker, this one first; malformed facts are skipped."""
    for address, fact in list(view.facts(name).items())[:MOST]:
        try:
            html = told(host(address), fact)
        except ODD:
            continue
        if html:
            yield html


def _canary(worker: str, fact: Any) -> str:
    part = share(float(fact["share"]))
    return f"<p>{plain(str(fact['stack']))} answers {part} of the requests of {plain(worker)}.</p>"


def _shadow(worker: str, fact: Any) -> str:
    stack, dropped = plain(str(fact["stack"])), int(fact["dropped"])
    part = share(float(fact["share"]))
    who = f"{stack} looks at {part}" if stack else "It is being loaded"
    lost = f" {count(dropped)} not looked at: there was no room." if dropped else ""
    problem = plain(str(fact["problem"]), 300)
    notice = f'<p class="notice">{problem}</p>' if problem else ""
    return f"<p>{who}, in {plain(worker)}.{lost}</p>{notice}"


def _rows(worker: str, fact: Any) -> str:
    return "".join(
        f'<tr><th scope="row">{plain(worker)}</th><td>{plain(str(stack))}</td>'
        f'<td class="number">{count(int(compared))}</td>'
        f'<td class="number">{share(float(agreement))}</td>'
        f'<td class="number">{float(mean):.3f}</td>'
        f'<td class="number">{float(largest):.3f}</td></tr>'
        for stack, (compared, agreement, mean, largest) in list(fact["tallies"].items())[:MOST]
    )


CANARY = Section("canary", "Canary", canary_body)
SHADOW = Section("shadow", "Shadow", shadow_body, wide=True)
