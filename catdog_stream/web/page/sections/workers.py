"""Workers by address: their stacks, partitions and health."""

from collections.abc import Iterable, Mapping
from itertools import groupby

from catdog_stream.web.cluster.view import ClusterView, WorkerView
from catdog_stream.web.page.parts import Section, When, table
from catdog_stream.web.page.text import count, host, plain

__all__ = ["WORKERS", "ranges"]

MOST = 32
#: Standings of workers whose state is out of date: text and CSS class.
_GONE: Mapping[str, tuple[str, str]] = {
    "silent": ("does not answer", "bad"),
    "lost": ("lost", "bad"),
    "left": ("stopped as planned", "wait"),
}


def body(view: ClusterView, when: When) -> str:
    """Return one row per worker, this worker first."""
    rows = [_row(each, view.now, when) for each in view.workers[:MOST]]
    rest = len(view.workers) - len(rows)
    more = f'<p class="fine">and {count(rest)} others</p>' if rest else ""
    heads = ("Worker", "Health", "Stack", "Partitions", "Version", "Notes since")
    return table("Workers", heads, rows) + more + _here(view)


def _here(view: ClusterView) -> str:
    """Return this worker's stack, and its role if that is not ``all``."""
    state = view.here.state
    loading = plain(str(state.facts.get("loading", "")))
    more = f", and loads {loading}" if loading else ""
    serves = f"This worker serves {plain(state.stack)}{more}." if state.stack else ""
    role = plain(str(state.facts.get("role", "")), 1000)
    words = " ".join(filter(None, (serves, role)))
    return f'<p class="fine">{words}</p>' if words else ""


def _row(worker: WorkerView, now: float, when: When) -> str:
    state = worker.state
    here = ' <span class="tag">this one</span>' if worker.standing == "here" else ""
    since = when(state.since) if state.since else "-"
    old = ' class="stale"' if worker.standing in _GONE else ""
    return (
        f'<tr data-key="{plain(worker.address)}"{old}><th scope="row">{plain(host(worker.address))}'
        f"{here}</th><td>{_health(worker, now, when)}</td><td>{plain(state.stack) or '-'}</td>"
        f"<td>{ranges(state.partitions) or '-'}</td><td>{plain(state.version) or '-'}</td>"
        f"<td>{since}</td></tr>"
    )


def _health(worker: WorkerView, now: float, when: When) -> str:
    if worker.standing in _GONE:
        word, pill = _GONE[worker.standing]
        heard = "never heard of" if worker.age is None else f"last heard {when(now - worker.age)}"
        return f'<span class="pill {pill}">{word}</span> <span class="fine">{heard}</span>'
    if worker.state.problems:
        problems = " ".join(plain(problem) for problem in worker.state.problems)
        return f'<span class="pill wait">not ready</span> <span class="fine">{problems}</span>'
    return '<span class="pill good">ready</span>'


def ranges(numbers: Iterable[int]) -> str:
    """Return ``0-3, 7`` for 0, 1, 2, 3 and 7."""
    parts = []
    for _, run in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        those = [number for _, number in run]
        parts.append(str(those[0]) if len(those) == 1 else f"{those[0]}-{those[-1]}")
    return ", ".join(parts[:MOST]) + ("…" if len(parts) > MOST else "")


WORKERS = Section("workers", "Workers", body, wide=True)
