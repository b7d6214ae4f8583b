"""Tests of counts between workers: only changes are sent, and the sums are right."""

from collections.abc import Mapping
from random import Random

import orjson
import pytest

from catdog_stream.web.cluster.changed_counts import ChangedCounts
from catdog_stream.web.cluster.ledger import HAND_OVER, Ledger
from catdog_stream.web.cluster.state import (
    PeerSnapshot,
    WorkerState,
    parse_snapshot,
    snapshot_document,
)

NAMES = [f"class number {n}" for n in range(1000)]


def state(places: Mapping[str, Mapping[str, int]], classes: list[str] = NAMES) -> WorkerState:
    return WorkerState(classes=classes, shards={"labels": places, "rejections": {}})


class Pair:
    """Worker that reports, and the ledger of another one that asks it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.counts = ChangedCounts()
        self.ledger = Ledger(lambda: self.now)
        self.counted = ""
        self.size = 0

    def ask(self, reported: WorkerState, *, is_lost: bool = False) -> PeerSnapshot:
        changed, counted, partial = self.counts.since(self.counted, reported)
        document = orjson.dumps(
            snapshot_document(PeerSnapshot(changed, counted=counted, partial=partial))
        )
        self.size = len(document)
        found = parse_snapshot(orjson.loads(document))
        if not is_lost:
            is_noted = self.ledger.note("one", found.state.shards, partial=found.partial)
            self.counted = found.counted if is_noted else ""
        return found


def test_only_what_has_changed_is_sent_again() -> None:
    it = Pair()
    places = {f"catdogimage/{n}": dict.fromkeys(NAMES[:20], 5) for n in range(8)}
    assert list(it.ask(state(places)).state.classes) == NAMES
    full = it.size
    places["catdogimage/3"] = {**places["catdogimage/3"], NAMES[7]: 6, "new": 1}
    found = it.ask(state(places))
    assert found.partial
    assert found.state.classes == []
    assert found.state.shards is not None
    assert {name: counts for name, counts in found.state.shards["labels"].items() if counts} == {
        "catdogimage/3": {NAMES[7]: 6, "new": 1}
    }
    assert it.size < full / 20
    assert it.ledger.total("labels") == dict.fromkeys(NAMES[:20], 40) | {NAMES[7]: 41, "new": 1}


def test_a_lost_answer_loses_no_counts() -> None:
    it = Pair()
    it.ask(state({"0": {"cat": 1}}))
    it.ask(state({"0": {"cat": 2, "dog": 1}}), is_lost=True)
    it.ask(state({"0": {"cat": 3, "dog": 1}}))
    assert it.ledger.total("labels") == {"cat": 3, "dog": 1}


def test_names_that_a_recount_removes_disappear() -> None:
    it = Pair()
    it.ask(state({"0": {"cat": 1, "dgo": 4}}))
    it.ask(state({"0": {"cat": 5}}))
    assert it.ledger.total("labels") == {"cat": 5}


@pytest.mark.parametrize("counted", ["", "another-5", "x", "-", "other-" + "9" * 5000])
def test_who_knows_no_report_of_this_process_gets_all(counted: str) -> None:
    it = Pair()
    it.ask(state({"0": {"cat": 1}}))
    it.counted = counted
    assert not it.ask(state({"0": {"cat": 1}})).partial


def test_other_classes_are_reported_with_all_counts() -> None:
    it = Pair()
    it.ask(state({"0": {"cat": 1}}))
    found = it.ask(state({"0": {"cat": 1}}, ["cat", "dog"]))
    assert (found.partial, list(found.state.classes)) == (False, ["cat", "dog"])


def test_changes_are_not_added_to_the_counts_of_another_worker() -> None:
    it = Pair()
    it.ask(state({"0": {"cat": 5}}))
    it.ledger.note("two", {"labels": {"0": {"cat": 9}}})
    it.ask(state({"0": {"cat": 5, "dog": 1}}))
    assert it.ledger.total("labels") == {"cat": 9}
    assert it.counted == "", "the next answer must have all counts"
    assert not it.ask(state({"0": {"cat": 8, "dog": 2}})).partial
    assert it.ledger.total("labels") == {"cat": 8, "dog": 2}
    it.ledger.note("two", {"labels": {"0": {"cat": 20}}})
    it.now += HAND_OVER
    it.ask(state({"0": {"cat": 9, "dog": 2}}))
    it.ask(state({"0": {"cat": 9, "dog": 2}}))
    assert it.ledger.total("labels") == {"cat": 9, "dog": 2}


def test_the_sums_are_always_those_of_full_reports() -> None:
    random = Random(0)
    it, places = Pair(), {str(n): {"cat": n} for n in range(4)}
    for _ in range(300):
        place = random.choice(list(places))
        counts = dict(places[place])
        name = random.choice(("cat", "dog", "bird"))
        counts[name] = counts.get(name, 0) + random.randrange(3)
        if random.random() < 0.05:
            counts.pop(random.choice(list(counts)))
        places[place] = counts
        it.ask(state(places), is_lost=random.random() < 0.2)
        if random.random() < 0.02:
            it.counts = ChangedCounts()
    it.ask(state(places))
    expected = Ledger()
    expected.note("one", {"labels": places})
    assert it.ledger.total("labels") == expected.total("labels")
