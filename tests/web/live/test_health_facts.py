"""Tests of the facts about the stream, as far as this worker knows them."""

from catdog_stream.web.live.health_facts import stream_facts
from catdog_stream.web.recording.history import Slot
from catdog_stream.web.recording.latency import bin_of
from tests.web.cluster_views import NOW, cluster, worker

DRIFT = {
    "stack": "pets 2",
    "findings": [
        {
            "quantity": "verdicts",
            "index": 7.1,
            "limit": 0.14,
            "since": NOW - 60,
            "shares": {"cat": [0.49, 0.01], "unknown": [0.02, 0.97]},
        },
        {"quantity": "confidence", "index": 0.01, "limit": 0.14, "since": None, "shares": {}},
    ],
}


def test_drift_of_any_worker_counts() -> None:
    other = worker("http://there:6067", "answers", facts={"drift": DRIFT})
    (drift,) = stream_facts(cluster({}, {}, worker(), other)).drift
    assert (drift.stack, drift.quantity, drift.index, drift.limit) == (
        *("pets 2", "verdicts"),
        *(7.1, 0.14),
    )
    assert (drift.unknown, drift.unknown_before) == (0.97, 0.02)
    odd = worker("http://there:6067", "answers", facts={"drift": {"findings": [{"since": 1}]}})
    assert stream_facts(cluster({}, {}, worker(), odd)).drift == []


def test_a_lag_is_unknown_where_it_was_known() -> None:
    known = {"lag_known": True}
    assert not stream_facts(cluster({}, {}, worker(lag={}, facts=known))).lag_unknown
    assert not stream_facts(cluster({}, {}, worker(lag={0: 3, 1: None}, facts=known))).lag_unknown
    assert stream_facts(cluster({}, {}, worker(lag={0: None, 1: None}, facts=known))).lag_unknown
    assert not stream_facts(cluster({}, {}, worker(lag={0: None, 1: None}))).lag_unknown


def test_nothing_counts_of_workers_that_are_gone_or_were_not_queried_lately() -> None:
    slow = Slot({"cat": 9}, 0, {bin_of(30.0): 9})
    facts = {"drift": DRIFT, "refused": "Stack pets/2: it is damaged.", "absent": ["No votes."]}

    def found(age: float, gone: float | None = None) -> tuple[bool, int, int]:
        standing = "answers" if gone is None else "left"
        other = worker("http://there:6067", standing, age, gone=gone, facts=facts, recent=slow)
        it = stream_facts(cluster({}, {}, worker(), other))
        return it.typical is not None, len(it.drift), len(it.faults)

    assert found(1.0) == (True, 1, 2)
    assert found(60.0) == (False, 0, 0)
    assert found(1.0, 5.0) == (False, 0, 0)


def test_times_are_the_latest_if_there_are_enough() -> None:
    def typical(number: int, ago: int) -> float | None:
        slot = Slot({"cat": number}, 0, {bin_of(13.0): number})
        return stream_facts(cluster(hour={int(NOW) - ago: slot})).typical

    recent = Slot({"cat": 5}, 0, {bin_of(2.0): 5})
    minute = {int(NOW) - 30: Slot({"cat": 99}, 0, {bin_of(13.0): 99})}
    latest = stream_facts(cluster({}, {}, worker(recent=recent), hour=minute)).typical
    assert latest is not None
    assert latest < 2.5
    assert typical(4, 30) is None
    assert typical(5, 70) is None
    found = typical(5, 30)
    assert found is not None
    assert 11 < found < 14.5


def test_rejections_are_those_of_the_last_ten_minutes() -> None:
    hour = {int(NOW) - ago: Slot({"cat": 5}, 3) for ago in (10, 300, 900)}
    facts = stream_facts(cluster(hour=hour))
    assert (facts.answers, facts.rejected) == (16, 6)


def test_reasons_of_a_worker_that_was_not_asked_lately_do_not_count() -> None:
    problems = ["The model is warming up."]
    for age, counts in ((1.0, True), (60.0, False)):
        other = worker("http://there:6067", "answers", age, problems=problems)
        fact = stream_facts(cluster({}, {}, worker(), other)).workers[1]
        assert bool(fact.problems) == counts
        assert fact.passing == counts
