"""Tests of drift: a stream like the reference raises no alarm; a changed stream does."""

from typing import cast

import numpy as np
import pytest

from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.metrics import DRIFT_NOW, DRIFT_REFERENCE
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.stacks.reference import Reference
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.drift import FEWEST, WINDOW, Drift, Finding, random_limit
from catdog_stream.pipeline.observing import Answered
from catdog_stream.pipeline.outcome import Classified
from catdog_stream.pipeline.timings import Timings
from catdog_stream.worker.drift_monitor import DriftMonitor

STACK = "pets 1"


def stream(
    count: int, *, seed: int, dogs: float = 0.5, foreign: float = 0.0, stack: str = STACK
) -> list[Verdict]:
    """Return verdicts, sure and in-distribution except for a share of foreign pictures."""
    random = np.random.default_rng(seed)
    verdicts = []
    for _ in range(count):
        odd = random.random() < foreign
        probability = random.uniform(0.5, 1) if odd else 1 - random.beta(0.3, 8)
        familiarity = random.uniform(0, 0.05) if odd else random.random()
        first, second = ("dog", "cat") if random.random() < dogs else ("cat", "dog")
        scores = {first: probability, second: 1 - probability}
        verdicts.append(Verdict(scores, stack, familiarity, unknown=familiarity < 0.02))
    return verdicts


REFERENCE = Reference.of(stream(2000, seed=0))


class Watched:
    """Drift monitor with a simulated clock."""

    def __init__(self, reference: Reference = REFERENCE) -> None:
        self.time = 1000.0
        self.drift = Drift(STACK, reference, lambda: self.time)
        self.alarms: set[str] = set()

    def see(self, verdicts: list[Verdict]) -> dict[str, Finding]:
        for verdict in verdicts:
            self.time += 1
            if self.drift.observe(verdict):
                self.alarms |= {f.quantity for f in self.drift.findings if f.since is not None}
        return {finding.quantity: finding for finding in self.drift.findings}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_stream_as_it_was_measured_raises_no_alarm(seed: int) -> None:
    watched = Watched()
    found = watched.see(stream(10_000, seed=seed))
    assert watched.alarms == set()
    assert set(found) == {"verdicts", "confidence", "familiarity"}
    assert all(finding.index < 0.1 for finding in found.values())
    assert found["verdicts"].now == pytest.approx(
        {"cat": 0.5, "dog": 0.48, "unknown": 0.02}, abs=0.1
    )
    assert found["confidence"].now == pytest.approx(found["confidence"].before, abs=0.02)


def test_pictures_that_are_neither_are_seen_in_confidence_and_familiarity() -> None:
    watched = Watched()
    watched.see(stream(2000, seed=1))
    assert watched.alarms == set()
    found = watched.see(stream(1000, seed=2, foreign=0.25))
    assert watched.alarms >= {"confidence", "familiarity"}
    since = found["familiarity"].since
    assert since is not None
    assert 3000 < since < 4000, "after the change, and within the window"
    assert found["familiarity"].now["mean"] < found["familiarity"].before["mean"] - 0.05
    assert found["familiarity"].index > found["familiarity"].limit == 0.1


def test_it_is_over_when_the_stream_is_as_it_was() -> None:
    watched = Watched()
    watched.see(stream(1000, seed=1, foreign=0.5))
    assert watched.alarms
    found = watched.see(stream(1000, seed=2))
    assert all(finding.since is None for finding in found.values())


def test_more_dogs_change_the_verdicts_and_nothing_else() -> None:
    watched = Watched()
    found = watched.see(stream(2000, seed=1, dogs=0.8))
    assert watched.alarms == {"verdicts"}
    assert found["verdicts"].now["dog"] == pytest.approx(0.78, abs=0.05)
    assert found["verdicts"].before["dog"] == pytest.approx(0.49, abs=0.05)


def test_few_verdicts_differ_by_chance_and_are_no_alarm() -> None:
    assert Watched().see(stream(FEWEST - 1, seed=1, foreign=1)) == {}
    indices = []
    for seed in range(1, 50):
        watched = Watched()
        indices += [finding.index for finding in watched.see(stream(FEWEST, seed=seed)).values()]
        assert watched.alarms == set()
    assert max(indices) > 0.1, "what would have mattered, had it not been chance"


def test_a_change_as_large_as_can_be_is_seen_at_once() -> None:
    watched = Watched()
    watched.see(stream(FEWEST, seed=1, foreign=1))
    assert watched.alarms >= {"confidence", "familiarity"}


def test_verdicts_of_other_stacks_are_left_out() -> None:
    watched = Watched()
    assert watched.see(stream(500, seed=1, foreign=1, stack="pets 2")) == {}
    assert len(watched.drift) == 0


def test_it_keeps_no_more_than_the_window() -> None:
    watched = Watched()
    watched.see(stream(3 * WINDOW, seed=1))
    assert len(watched.drift) == WINDOW


def test_a_stack_that_knows_no_familiarity_is_watched_without() -> None:
    verdicts = [Verdict(each.scores, STACK) for each in stream(1000, seed=0)]
    found = Watched(Reference.of(verdicts)).see(verdicts)
    assert set(found) == {"verdicts", "confidence"}


def test_a_reference_of_one_bin_never_drifts() -> None:
    verdicts = [Verdict({"cat": 1.0, "dog": 0.0}, STACK)] * 200
    watched = Watched(Reference.of(verdicts))
    watched.see(verdicts)
    assert watched.alarms == set()


def test_the_limit_is_what_chance_exceeds_once_in_a_million() -> None:
    """Compare with chi-squared's quantiles: 44.81 for nine degrees of freedom and 27.63 for two."""
    both = 1 / 100 + 1 / 2000
    assert 1 <= random_limit([10] * 10, [200] * 10) / (44.81 * both) < 1.03
    assert 1 <= random_limit([50, 50, 0], [990, 990, 20]) / (27.63 * both) < 1.10


def many(count: int, seed: int, classes: int = 1000, most: int | None = None) -> list[Verdict]:
    """Return verdicts on many classes, of which the later ones are less frequent."""
    random = np.random.default_rng(seed)
    weights = 1 / np.arange(1.0, classes + 1) ** 0.5
    weights[classes if most is None else most :] = 0
    labels = random.choice(classes, count, p=weights / weights.sum())
    scores = [{f"class {label}": 0.9} for label in labels]
    # All scores of all verdicts would take a gigabyte.
    scores[0] = {f"class {number}": 0.0 for number in range(classes)} | scores[0]
    return [Verdict(each, STACK) for each in scores]


def test_a_thousand_classes_raise_no_alarm_as_measured_and_one_if_most_are_missing() -> None:
    for measured in (1000, 20_000):
        watched = Watched(Reference.of(many(measured, 0)))
        watched.see(many(2500, 1))
        assert watched.alarms == set()
        found = watched.see(many(WINDOW, 2, most=50))
        assert watched.alarms == {"verdicts"}
        assert len(found["verdicts"].now) == 1000


def test_a_thousand_classes_have_metrics_for_those_that_were_frequent() -> None:
    class Stack:
        name, version = STACK.split()
        reference = Reference.of([*many(5000, 0), *many(50, 0, most=3)])

    monitor = DriftMonitor(lambda: 0.0, most_labels=10)
    monitor.follow(cast(Classifier, Stack()))
    assert monitor.drift is not None
    for verdict in many(FEWEST, 1):
        monitor.drift.observe(verdict)
    monitor.answered(answered(many(1, 1)[0]))
    for verdict in many(WINDOW, 1):
        monitor.answered(answered(verdict))
    for metric in (DRIFT_NOW, DRIFT_REFERENCE):
        (family,) = metric.collect()
        shares = {
            s.labels["value"]: s.value for s in family.samples if s.labels["of"] == "verdicts"
        }
        assert len(shares) == 11
        assert {"class 0", "class 1", "other"} <= shares.keys()
        assert sum(shares.values()) == pytest.approx(1)


def answered(verdict: Verdict) -> Answered:
    incoming = Incoming(Source("catdogimage", 0, 0), None, None, (), None)
    return Answered(incoming, Classified(None, verdict), None, Timings())
