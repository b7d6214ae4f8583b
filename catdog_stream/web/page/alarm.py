"""Sentences that a screen reader speaks at once: that a worker was lost, and what else is wrong."""

from collections.abc import Iterable

from catdog_stream.terminal import shown
from catdog_stream.web.cluster.view import ClusterView, WorkerView
from catdog_stream.web.health.facts import CAUSES, Cause, Severity
from catdog_stream.web.page.health import TITLES
from catdog_stream.web.page.text import MAX_SHOWN, host

__all__ = ["alarm"]

#: Causes that the sentences above them name in more detail.
_NAMED: frozenset[Cause] = frozenset(("worker_silent", "worker_lost", "fault"))
#: Workers that are named in a sentence.
MOST_NAMED = 3


def alarm(view: ClusterView) -> str:
    """Return what is wrong, in plain text; empty if nothing is.

    The text has no ages and no counts that grow: it would be spoken again each second.
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
    refusing = [each for each in view.workers if each.state.facts.get("refused")]
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
