"""Tests of the acknowledgements: a committed offset never passes a record in progress."""

from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.delivery.ack_tracker import AckTracker


def test_what_is_done_behind_a_record_in_progress_is_not_committed() -> None:
    tracker = AckTracker()
    for offset in (5, 6, 9):  # 7 and 8 are markers of transactions
        tracker.deliver(offset)
    tracker.acknowledge(9)
    tracker.acknowledge(6)
    assert tracker.committable == 5
    assert not tracker.is_idle
    tracker.acknowledge(5)
    assert tracker.committable == 10
    assert tracker.is_idle


def test_an_agent_may_be_done_with_all_in_front_of_a_record_at_once() -> None:
    tracker = AckTracker()
    for offset in range(10):
        tracker.deliver(offset)
    tracker.acknowledge(7)
    tracker.acknowledge_before(4)
    assert tracker.committable == 4
    tracker.acknowledge_before(7)
    tracker.acknowledge(8)
    assert tracker.committable == 7
    tracker.acknowledge_before(8)
    assert tracker.committable == 8


@given(st.lists(st.integers(1, 3), max_size=30), st.randoms(use_true_random=False))
def test_in_any_order_the_first_record_in_progress_is_the_limit(steps, random) -> None:  # type: ignore[no-untyped-def]
    offsets = [sum(steps[: n + 1]) for n in range(len(steps))]
    tracker, waiting = AckTracker(), set(offsets)
    for offset in offsets:
        tracker.deliver(offset)
    for offset in random.sample(offsets, len(offsets)):
        tracker.acknowledge(offset)
        waiting.discard(offset)
        assert tracker.committable == (min(waiting) if waiting else offsets[-1] + 1)
        assert tracker.is_idle == (not waiting)
    assert not tracker._acknowledged, "nothing is kept"
