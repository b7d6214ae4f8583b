"""Facts for the assessment of the stream, from what this worker knows of the cluster."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from catdog_stream.models.verdict import UNKNOWN
from catdog_stream.web.cluster.view import ClusterView, WorkerView
from catdog_stream.web.health.facts import DriftFact, Fault, Flow, StreamFacts, WorkerFact
from catdog_stream.web.page.parts import ODD
from catdog_stream.web.page.text import host
from catdog_stream.web.recording.history import added
from catdog_stream.web.recording.latency import percentile
from catdog_stream.worker.health import PASSING, SPARE

__all__ = ["stream_facts"]

#: Seconds of answers to use if the latest are too few, and the minimum number of answers.
TIMES_SECONDS, FEWEST_TIMES = 60, 5
#: Seconds over which rejections are counted, as in CatdogStreamRejecting.
REJECTED_SECONDS = 600
#: Seconds for which a planned stop is reported.
MENTIONED = 60.0
MOST_DRIFT, MOST_FAULTS, MOST_TEXT = 32, 8, 300


def stream_facts(view: ClusterView) -> StreamFacts:
    """Return the facts, without malformed facts of workers of another version."""
    here = view.here.state.facts
    current = [each for each in view.workers if each.is_current]
    times = added(each.state.recent for each in current).bins
    if sum(times.values()) < FEWEST_TIMES:
        minute = (s for start, s in view.hour.items() if start > view.now - TIMES_SECONDS)
        times = added(minute).bins
    enough = sum(times.values()) >= FEWEST_TIMES
    last = added(s for start, s in view.hour.items() if start > view.now - REJECTED_SECONDS)
    lag = view.here.state.lag
    return StreamFacts(
        workers=[_worker(each, view.now) for each in view.workers if not _is_past(each)],
        flow=_flow(here.get("flow")),
        lag_unknown=bool(lag and here.get("lag_known"))
        and all(each is None for each in lag.values()),
        typical=percentile(times, 0.5) if enough else None,
        slowest=percentile(times, 1.0) if enough else None,
        answers=last.labelled + last.rejected,
        rejected=last.rejected,
        drift=list(_drift(current)),
        faults=list(_faults(current)),
        patience=_number(here.get("patience")) or 0.0,
        unit="votes" if here.get("waits") == "votes" else "requests",
    )


def _is_past(worker: WorkerView) -> bool:
    return worker.standing == "left" and (worker.gone or 0.0) > MENTIONED


def _worker(worker: WorkerView, now: float) -> WorkerFact:
    current = worker.is_current
    problems = tuple(each[:MOST_TEXT] for each in worker.state.problems) if current else ()
    return WorkerFact(
        name=host(worker.address),
        standing=worker.standing,
        heard=None if worker.age is None else now - worker.age,
        problems=problems,
        unready=_number(worker.state.facts.get("unready")) or 0.0,
        passing=bool(problems) and PASSING.issuperset(problems),
        spare=problems == (SPARE,),
    )


def _flow(fact: Any) -> Flow:
    if not isinstance(fact, Mapping):
        return Flow()
    waiting = _number(fact.get("waiting"))
    return Flow(
        _number(fact.get("arriving")),
        _number(fact.get("answered")),
        None if waiting is None else int(waiting),
        _number(fact.get("stalled")) or 0.0,
        _number(fact.get("growth")),
    )


def _number(fact: Any) -> float | None:
    return float(fact) if isinstance(fact, int | float) and math.isfinite(fact) else None


def _drift(workers: Sequence[WorkerView]) -> Iterator[DriftFact]:
    found = [each.state.facts["drift"] for each in workers if "drift" in each.state.facts]
    for fact in found[:MOST_DRIFT]:
        try:
            yield from _drifting(fact)
        except ODD:
            continue


def _drifting(fact: Any) -> list[DriftFact]:
    found = []
    for each in fact["findings"]:
        if each["since"] is None:
            continue
        quantity = str(each["quantity"])[:MOST_TEXT]
        before, now = each["shares"].get(UNKNOWN, (None, None))
        found.append(
            DriftFact(
                str(fact["stack"])[:MOST_TEXT],
                quantity,
                float(each["index"]),
                float(each["limit"]),
                unknown=_number(now),
                unknown_before=_number(before),
            )
        )
    return found


def _faults(workers: Sequence[WorkerView]) -> Iterator[Fault]:
    for each in workers:
        name, facts = host(each.address), each.state.facts
        if facts.get("refused"):
            refused = str(facts["refused"])[:MOST_TEXT]
            yield Fault(f"{name} does not serve what was ordered: {refused}")
        absent = facts.get("absent")
        if isinstance(absent, list):
            for sentence in absent[:MOST_FAULTS]:
                yield Fault(f"{name}: {str(sentence)[:MOST_TEXT]}")
