"""Tests of the state of the stream, fact by fact: causes, their limits, and hysteresis."""

from typing import Any

import pytest

from catdog_stream.web.health.assessment import assess
from catdog_stream.web.health.facts import (
    Cause,
    DriftFact,
    Fault,
    Flow,
    Health,
    Severity,
    StreamFacts,
    WorkerFact,
)

HERE = WorkerFact("here:6066", "here", heard=0.0)
OVERLOAD = Flow(arriving=30.0, answered=12.0, waiting=399)


def health(*before: Cause, **facts: Any) -> Health:
    return assess(StreamFacts(**{"workers": [HERE], **facts}), before)


def worker(standing: Any = "answers", **more: Any) -> WorkerFact:
    return WorkerFact("there:6067", standing, **more)


def test_a_stream_that_works_says_how_much_it_does() -> None:
    assert health().headline.sentence == "Working."
    assert health(flow=Flow(0.0, 0.0, 0)).headline.sentence == "Working: nothing waits."
    it = health(flow=Flow(12.0, 11.8, 9))
    assert it.headline.sentence == "Working: 12/s arrive, 12/s answered, 9 waiting."
    assert it.severity == Severity.OK
    assert it.conditions == ()


@pytest.mark.parametrize(
    ("flow", "severity", "sentence"),
    [
        # Overload as observed.
        (OVERLOAD, Severity.WARNING, "Falling behind: 30/s arrive, 12/s answered, 399 waiting."),
        # At a high rate some hundred requests are always in progress and not committed yet.
        (Flow(500.0, 490.0, 1500), Severity.OK, "Working"),
        (Flow(600.0, 490.0, 1500), Severity.OK, "Working"),
        # A few, which are answered within a second.
        (Flow(30.0, 12.0, 19), Severity.OK, "Working"),
        (Flow(30.0, 12.0, 59), Severity.OK, "Working"),
        (Flow(30.0, 12.0, 61), Severity.WARNING, "Falling behind"),
        # As many arrive as are answered: the backlog stays.
        (Flow(12.0, 12.0, 200), Severity.OK, "Working"),
        (Flow(12.0, 12.0, 399), Severity.WARNING, "Behind: 12/s arrive"),
        # The backlog shrinks by itself.
        (Flow(0.0, 12.0, 396), Severity.INFO, "Catching up: 0/s arrive, 12/s answered, 396 "),
        # None is answered, for a short time.
        (Flow(30.0, 0.0, 60, stalled=2.0), Severity.WARNING, "Falling behind"),
        (Flow(30.0, 0.0, 60, stalled=20.0), Severity.CRITICAL, "Nothing is answered: 30/s"),
        (Flow(0.0, 0.0, 1, stalled=20.0), Severity.CRITICAL, "Nothing is answered: 0/s"),
        (Flow(0.0, 0.0, 0, stalled=20.0), Severity.OK, "Working: nothing waits."),
        (Flow(), Severity.OK, "Working."),
    ],
)
def test_flow(flow: Flow, severity: Severity, sentence: str) -> None:
    it = health(flow=flow)
    assert it.headline.sentence.startswith(sentence)
    assert it.severity == severity


def test_a_backlog_says_how_long_clients_wait_and_how_long_it_lasts() -> None:
    assert "an answer takes 13 s." in health(flow=OVERLOAD, typical=13.1).headline.sentence
    it = health(flow=Flow(2.0, 12.0, 400), typical=31.0)
    assert "about 40 s left; an answer takes 31 s." in it.headline.sentence


def test_a_jury_may_wait_for_votes_until_its_deadline() -> None:
    flow = Flow(0.0, 0.0, 60, stalled=25.0)
    assert health(flow=flow, patience=10.0).severity < Severity.CRITICAL
    assert health(flow=flow, patience=4.0).severity == Severity.CRITICAL
    text = health(flow=OVERLOAD, unit="votes").headline.sentence
    assert text == "Falling behind: 30/s votes arrive, 12/s decided, 399 waiting."


def test_a_condition_holds_while_numbers_swing_around_its_limit() -> None:
    swinging = [Flow(30.0, 12.0, 61), Flow(13.0, 12.0, 55), Flow(14.0, 12.0, 61)]
    before: frozenset[Cause] = frozenset()
    severities = []
    for flow in swinging * 3:
        it = health(*before, flow=flow)
        before = it.held
        severities.append(it.severity)
    assert severities == [Severity.WARNING] * 9
    assert health(*before, flow=Flow(12.0, 12.0, 20)).severity == Severity.OK


def test_a_condition_holds_while_the_backlog_shrinks_for_a_moment() -> None:
    before: frozenset[Cause] = frozenset()
    severities = []
    for flow in (Flow(14.0, 12.0, 300), Flow(10.0, 12.0, 290), Flow(12.0, 12.0, 240)):
        it = health(*before, flow=flow)
        before = it.held
        severities.append(it.severity)
    assert severities == [Severity.WARNING, Severity.INFO, Severity.WARNING]


def test_a_burst_that_is_being_answered_is_no_overload() -> None:
    # The arrivals of the last 20 s still count, though nothing arrives any more.
    it = health(flow=Flow(10.0, 4.5, 110, growth=-30.0))
    assert it.severity == Severity.INFO
    assert it.headline.sentence.startswith("Catching up: 10/s arrive, 4.5/s answered, 110 waiting")
    assert "about 3.7 s left" in it.headline.sentence
    assert health(flow=Flow(10.0, 1.5, 170, growth=40.0)).severity == Severity.WARNING


def test_a_backlog_at_a_start_is_no_warning() -> None:
    starts = WorkerFact("here:6066", "here", problems=("It starts.",), unready=5.0, passing=True)
    flow = Flow(0.0, 0.0, 1000)
    assert health(workers=[starts], flow=flow).severity == Severity.INFO
    assert health(flow=flow).severity == Severity.WARNING


def test_a_worker_that_starts_again_and_again_hides_no_standstill_of_the_others() -> None:
    starts = WorkerFact("here:6066", "here", problems=("It starts.",), unready=5.0, passing=True)
    stalled = Flow(3.0, 0.0, 60, stalled=51.0)
    assert health(workers=[starts, worker()], flow=stalled).severity == Severity.CRITICAL


@pytest.mark.parametrize(
    ("typical", "before", "severity"),
    [(9.9, (), 0), (10.0, (), 2), (5.1, ("slow",), 2), (4.9, ("slow",), 0), (None, ("slow",), 0)],
)
def test_slow_answers(typical: float | None, before: tuple[Cause, ...], severity: int) -> None:
    it = health(*before, typical=typical, slowest=42.0, flow=Flow(1.0, 1.0, 3))
    assert it.severity == severity
    assert ("the slowest 42 s" in it.headline.sentence) == bool(severity)


def test_a_worker_that_starts_is_no_warning_for_a_while() -> None:
    def starting(seconds: float) -> WorkerFact:
        problems = ("The model is warming up.",)
        return WorkerFact("here:6066", "here", problems=problems, unready=seconds, passing=True)

    flow = Flow(30.0, 0.0, 60, stalled=25.0)
    assert health(workers=[starting(29.0)], flow=flow).severity < Severity.CRITICAL
    assert "is starting: The model" in health(workers=[starting(29.0)]).headline.sentence
    late = health(workers=[starting(31.0)])
    assert late.severity == Severity.CRITICAL
    assert late.headline.sentence.startswith("No worker is ready. here:6066: The model is")


def test_kafka_that_is_silent_is_critical_at_once_where_no_worker_is_ready() -> None:
    silent = ("Kafka at (an address, see the log) has not answered for 9 s.",)
    here = WorkerFact("here:6066", "here", problems=silent, unready=1.0)
    assert health(workers=[here]).severity == Severity.CRITICAL
    both = health(workers=[here, worker()])
    assert both.severity == Severity.WARNING
    assert both.headline.sentence == f"here:6066 is not ready: {silent[0]}"


def test_a_spare_worker_is_nothing_to_worry_about() -> None:
    spare = worker(problems=("No partition is assigned to this worker.",), spare=True)
    assert health(workers=[HERE, spare]).severity == Severity.OK


@pytest.mark.parametrize(
    ("standing", "severity", "cause", "words"),
    [
        ("answers", Severity.OK, None, "Working."),
        ("silent", Severity.WARNING, "worker_silent", "does not answer (1 of 2 workers)"),
        ("lost", Severity.WARNING, "worker_lost", "is lost: it left the group without"),
        ("left", Severity.INFO, "worker_left", "was stopped as planned; 1 worker remains."),
    ],
)
def test_workers_are_named(standing: str, severity: Severity, cause: str, words: str) -> None:
    it = health(workers=[HERE, worker(standing, heard=5.0)])
    assert it.severity == severity
    for each in it.conditions:
        assert each.cause == cause
        assert each.sentence.startswith("there:6067 ")
        assert each.heard == 5.0
    assert words in (it.conditions or (it.headline,))[0].sentence


def test_a_planned_stop_leaves_the_first_line_to_the_stream() -> None:
    it = health(workers=[HERE, worker("left")], flow=Flow(1.0, 1.0, 0))
    assert it.headline.sentence.startswith("Working: ")
    assert it.causes == frozenset()


@pytest.mark.parametrize(
    ("drift", "severity", "words"),
    [
        (
            DriftFact("pets 2", "verdicts", 7.1, 0.14, unknown=0.97, unknown_before=0.02),
            Severity.WARNING,
            "Drift of pets 2: 97% of the latest pictures are unknown "
            "(index 7.1; up to 0.14 is no drift).",
        ),
        (
            DriftFact("pets 2", "verdicts", 0.5, 0.14, unknown=0.15, unknown_before=0.02),
            Severity.INFO,
            "other labels than in its reference",
        ),
        (DriftFact("pets 2", "verdicts", 0.5, 0.14), Severity.INFO, "other labels"),
        (DriftFact("pets 2", "familiarity", 0.5, 0.14), Severity.WARNING, "differ from its"),
    ],
)
def test_drift(drift: DriftFact, severity: Severity, words: str) -> None:
    it = health(drift=[drift])
    assert it.severity == severity
    assert words in it.conditions[0].sentence


def test_of_a_stack_the_worst_drift_is_told_once() -> None:
    mild, bad = DriftFact("a 1", "verdicts", 0.5, 0.1), DriftFact("a 1", "confidence", 0.5, 0.1)
    other = DriftFact("b 1", "verdicts", 0.5, 0.1)
    assert [each.severity for each in health(drift=[mild, bad, bad, other]).conditions] == [2, 1]


@pytest.mark.parametrize(
    ("answers", "rejected", "before", "severity"),
    [
        *((0, 0, (), 0), (19, 19, (), 0), (200, 20, (), 0), (199, 20, (), 2)),
        *((201, 20, ("rejecting",), 2), (1000, 40, ("rejecting",), 0)),
    ],
)
def test_rejections(
    answers: int, rejected: int, before: tuple[Cause, ...], severity: Severity
) -> None:
    assert health(*before, answers=answers, rejected=rejected).severity == severity


def test_a_lag_that_nobody_knows_and_faults_are_warnings() -> None:
    assert health(lag_unknown=True).causes == {"lag_unknown"}
    it = health(faults=[Fault("here:6066 does not serve what was ordered: pets/3.")])
    assert it.causes == {"fault"}


def test_the_worst_comes_first() -> None:
    here = WorkerFact("here:6066", "here", problems=("Kafka is gone.",))
    it = health(workers=[here, worker("left"), worker("lost")], drift=[])
    assert [each.severity for each in it.conditions] == [3, 2, 1]
    assert it.headline is it.conditions[0]
    assert it.severity == Severity.CRITICAL


def test_of_very_many_some_are_named() -> None:
    many = [WorkerFact(f"w{number}", "silent") for number in range(300)]
    assert len(health(workers=[HERE, *many]).conditions) <= 8
