"""Assessment of the stream from plain facts, as pure functions without a clock.

A cause that is already found has lower limits, so that the state does not change each time a number
crosses its limit.
"""

from collections.abc import Collection, Iterator, Sequence

from catdog_stream.web.health.facts import (
    WORKING,
    Cause,
    Condition,
    DriftFact,
    Health,
    Severity,
    StreamFacts,
    WorkerFact,
)

__all__ = ["assess"]

#: Minimum seconds that the waiting requests need at the current rate to count as a backlog. Offsets
#: are committed each second and read every two, so a shorter backlog is always present.
BACKLOG = 5.0
#: Minimum number of waiting requests for a backlog.
FEWEST_WAITING = 20
#: Minimum ratio of arrivals to answers for a stream that falls behind.
BEHIND = 1.1
#: Minimum seconds of a backlog that counts even if it does not grow: clients wait that long.
STANDING = 30.0
#: Factor on each limit for a cause that is already found.
HOLD = 0.5
#: Seconds without an answer, while requests wait, until the stream counts as stalled.
STALL = 20.0
#: Minimum median latency, in seconds, of a slow stream.
SLOW = 10.0
#: Minimum number of rejections and minimum share of the answers, as in CatdogStreamRejecting.
FEWEST_REJECTED, REJECTING = 20, 0.1
#: Maximum seconds of a normal start or assignment of partitions.
PASSING = 30.0
#: Minimum share of unknown pictures above the reference for a warning.
UNKNOWN = 0.2
#: Maximum number of workers and faults that are named.
MOST_NAMED = 8


def assess(facts: StreamFacts, before: Collection[Cause] = ()) -> Health:
    """Return the state of the stream.

    Args:
        facts: current facts about the stream.
        before: causes of the previous state, whose limits are lower.
    """
    conditions = [
        *_readiness(facts),
        *_flow(facts, before),
        *_workers(facts.workers),
        *_rejecting(facts, before),
        *_drift(facts.drift),
        *(
            Condition(Severity.WARNING, "fault", each.sentence)
            for each in facts.faults[:MOST_NAMED]
        ),
    ]
    conditions.sort(key=lambda each: -each.severity)
    return Health(_headline(conditions, facts), tuple(conditions))


def _headline(conditions: Sequence[Condition], facts: StreamFacts) -> Condition:
    """Return the worst condition, or the rates of a stream that needs no action."""
    for each in conditions:
        if each.severity >= Severity.WARNING or each.cause in ("not_ready", "falling_behind"):
            return each
    flow = facts.flow
    if flow.arriving is None or flow.answered is None or flow.waiting is None:
        return WORKING
    if not flow.waiting and not flow.arriving:
        return Condition(Severity.OK, None, "Working: nothing waits.")
    return Condition(Severity.OK, None, f"Working: {_rates(facts)}.")


def _rates(facts: StreamFacts) -> str:
    flow = facts.flow
    unit = "votes " if facts.unit == "votes" else ""
    verb = "decided" if facts.unit == "votes" else "answered"
    return (
        f"{_rate(flow.arriving)} {unit}arrive, {_rate(flow.answered)} {verb}, "
        f"{flow.waiting or 0:,} waiting"
    )


def _readiness(facts: StreamFacts) -> Iterator[Condition]:
    present = [each for each in facts.workers if each.standing in ("here", "answers")]
    unready = [each for each in present if each.problems and not each.spare]
    ready = [each for each in present if not each.problems]
    for each in unready[:MOST_NAMED]:
        problem = " ".join(each.problems)
        if each.passing and each.unready < PASSING:
            yield Condition(Severity.INFO, "not_ready", f"{each.name} is starting: {problem}")
        elif ready:
            yield Condition(Severity.WARNING, "not_ready", f"{each.name} is not ready: {problem}")
        else:
            sentence = f"No worker is ready. {each.name}: {problem}"
            yield Condition(Severity.CRITICAL, "not_ready", sentence)


def _flow(facts: StreamFacts, before: Collection[Cause]) -> Iterator[Condition]:
    flow = facts.flow
    if facts.lag_unknown:
        yield Condition(
            Severity.WARNING, "lag_unknown", "Kafka does not state how many requests wait."
        )
    if flow.arriving is None or flow.answered is None or flow.waiting is None:
        yield from _slow(facts, before)
        return
    patience = facts.patience + (PASSING if _is_starting(facts) else 0.0)
    if flow.waiting and flow.stalled >= STALL + patience:
        sentence = f"Nothing is answered: {_rates(facts)}, for {_duration(flow.stalled)}."
        yield Condition(Severity.CRITICAL, "stalled", sentence)
        return
    hold = HOLD if "falling_behind" in before else 1.0
    seconds = flow.waiting / flow.answered if flow.answered else float("inf")
    if flow.waiting < FEWEST_WAITING * hold or seconds < BACKLOG * hold:
        yield from _slow(facts, before)
        return
    # The rates are those of 20 s, in which a burst that has ended still counts.
    growth = flow.arriving - flow.answered if flow.growth is None else flow.growth
    growing = flow.arriving > flow.answered * (1 + (BEHIND - 1) * hold) and growth >= 0
    shrinking = growth < -(BEHIND - 1) * flow.answered
    wait = "" if facts.typical is None else f"; an answer takes {_duration(facts.typical)}"
    # Requests wait for every start and every assignment of partitions.
    severity = Severity.INFO if _is_starting(facts) else Severity.WARNING
    if growing:
        yield Condition(severity, "falling_behind", f"Falling behind: {_rates(facts)}{wait}.")
    elif shrinking:
        left = flow.waiting / -growth
        sentence = f"Catching up: {_rates(facts)}; about {_duration(left)} left{wait}."
        yield Condition(Severity.INFO, "falling_behind", sentence)
    elif seconds >= STANDING * hold:
        yield Condition(severity, "falling_behind", f"Behind: {_rates(facts)}{wait}.")
    else:
        yield from _slow(facts, before)


def _is_starting(facts: StreamFacts) -> bool:
    return any(each.passing and each.unready < PASSING for each in facts.workers)


def _slow(facts: StreamFacts, before: Collection[Cause]) -> Iterator[Condition]:
    limit = (SLOW + facts.patience) * (HOLD if "slow" in before else 1.0)
    if facts.typical is not None and facts.typical >= limit:
        most = "" if facts.slowest is None else f", the slowest {_duration(facts.slowest)}"
        sentence = f"Slow: half of the answers take {_duration(facts.typical)} or more{most}."
        yield Condition(Severity.WARNING, "slow", sentence)


def _workers(workers: Sequence[WorkerFact]) -> Iterator[Condition]:
    here = sum(each.standing in ("here", "answers") for each in workers)
    others = f"{here} {'worker' if here == 1 else 'workers'} remain{'s' if here == 1 else ''}"
    group = sum(each.standing not in ("left", "lost") for each in workers)
    silent = [each for each in workers if each.standing == "silent"]
    for each in silent[:MOST_NAMED]:
        sentence = (
            f"{each.name} does not answer ({len(silent)} of {group} "
            f"{'worker' if group == 1 else 'workers'}): it has died, is frozen or cannot be "
            "reached."
        )
        if each.heard is None:
            sentence += " It has not reported its counts: those here are not complete."
        yield Condition(Severity.WARNING, "worker_silent", sentence, each.heard)
    for each in [each for each in workers if each.standing == "lost"][:MOST_NAMED]:
        sentence = f"{each.name} is lost: it left the group without a planned stop; {others}."
        yield Condition(Severity.WARNING, "worker_lost", sentence, each.heard)
    for each in [each for each in workers if each.standing == "left"][:MOST_NAMED]:
        sentence = f"{each.name} was stopped as planned; {others}."
        yield Condition(Severity.INFO, "worker_left", sentence, each.heard)


def _rejecting(facts: StreamFacts, before: Collection[Cause]) -> Iterator[Condition]:
    hold = HOLD if "rejecting" in before else 1.0
    if not facts.answers or facts.rejected < FEWEST_REJECTED * hold:
        return
    share = facts.rejected / facts.answers
    if share > REJECTING * hold:
        sentence = f"{share:.0%} of the last {facts.answers:,} requests were rejected."
        yield Condition(Severity.WARNING, "rejecting", sentence)


def _drift(drift: Sequence[DriftFact]) -> Iterator[Condition]:
    """Yield a condition for each stack: its worst quantity."""
    worst: dict[str, Condition] = {}
    for each in drift:
        condition = _drifted(each)
        known = worst.get(each.stack)
        if known is None or condition.severity > known.severity:
            worst[each.stack] = condition
    yield from list(worst.values())[:MOST_NAMED]


def _drifted(drift: DriftFact) -> Condition:
    index = f"(index {drift.index:.2g}; up to {drift.limit:.2g} is no drift)"
    now, then = drift.unknown, drift.unknown_before or 0.0
    if drift.quantity != "verdicts":
        sentence = f"Drift of {drift.stack}: the pictures differ from its reference in "
        return Condition(Severity.WARNING, "drift", f"{sentence}{drift.quantity} {index}.")
    if now is not None and now - then >= UNKNOWN:
        sentence = f"Drift of {drift.stack}: {now:.0%} of the latest pictures are unknown {index}."
        return Condition(Severity.WARNING, "drift", sentence)
    # Clients may send other pictures on purpose.
    sentence = f"Drift of {drift.stack}: other labels than in its reference {index}."
    return Condition(Severity.INFO, "drift", sentence)


def _rate(per_second: float | None) -> str:
    value = per_second or 0.0
    if value and value < 0.95:
        return f"{value:.2f}/s"
    return f"{value:.1f}/s" if value and value < 9.95 else f"{value:,.0f}/s"


def _duration(seconds: float) -> str:
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
