"""Sentences that a screen reader speaks immediately: lost workers and other problems."""

from collections.abc import Iterable

from catdog_stream.terminal import shown
from catdog_stream.web.cluster.view import ClusterView, WorkerView
from catdog_stream.web.health.facts import CAUSES, Cause, Severity
from catdog_stream.web.page.health import TITLES
from catdog_stream.web.page.text import MAX_SHOWN, host

__all__ = ["alarm"]

#: Causes that other sentences of the alarm describe in more detail.
_NAMED: frozenset[Cause] = frozenset(("worker_silent", "worker_lost", "fault"))
#: Maximum number of workers named in a sentence.
MOST_NAMED = 3


def alarm(view: ClusterView) -> str:
    """Return the problems as plain text; empty if there are none.

    The text contains no ages and no growing counts: a screen reader would repeat it each second.
    """
    silent = [each for each in view.workers if each.standing == "silent"]
    lost = [each for each in view.workers if each.standing == "lost"]
    sentences = []
    if silent:
        verb = "does" if len(silent) == 1 else "do"
        sentences.append(
            f"{len(silent)} of {view.group} workers {verb} not answer: {_names(silent)}."
        )
    if lost:
        noun = "worker is" if len(lost) == 1 else "workers are"
        sentences.append(f"{len(lost)} {noun} lost: {_names(lost)}.")
    refusing = [
        each for each in view.workers if each.is_current and each.state.facts.get("refused")
    ]
    if refusing:
        verb = "does" if len(refusing) == 1 else "do"
        sentences.append(f"{_names(refusing)} {verb} not serve the stack that was ordered.")
    causes = {each.cause for each in view.health.conditions if each.severity >= Severity.WARNING}
    sentences += [f"{TITLES[cause]}." for cause in CAUSES if cause in causes - _NAMED]
    return " ".join(sentences)


def _names(workers: Iterable[WorkerView]) -> str:
    names = sorted(shown(host(each.address))[:MAX_SHOWN] for each in workers)
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
