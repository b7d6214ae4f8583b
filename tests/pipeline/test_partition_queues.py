"""Tests of partition queues: the answers of a partition are in the order of its requests."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.pipeline.partition_queues import PartitionQueues


def test_a_lane_needs_somebody_to_serve_it_only_when_it_was_idle() -> None:
    lanes: PartitionQueues[int, str] = PartitionQueues()
    assert lanes.append(0, "a")
    assert not lanes.append(0, "b")
    assert lanes.append(1, "c")
    assert lanes.waiting(0) == ("a", "b")
    assert len(lanes) == 3


def test_whoever_serves_a_lane_owns_it_until_it_has_found_it_empty() -> None:
    lanes: PartitionQueues[int, str] = PartitionQueues()
    lanes.append(0, "a")
    lanes.remove_head(0)
    # Empty, but its owner has not noticed it yet: a second owner would answer out of order.
    assert not lanes.append(0, "b")
    assert lanes.head(0) == "b"
    lanes.remove_head(0)
    assert lanes.head(0) is None
    assert lanes.append(0, "c")


def test_a_lane_that_never_was_is_empty() -> None:
    lanes: PartitionQueues[int, str] = PartitionQueues()
    assert lanes.head(5) is None
    assert lanes.waiting(5) == ()
    assert len(lanes) == 0


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-3, 3))))
def test_lanes_are_queues_that_know_nothing_of_each_other(steps: list[tuple[int, int]]) -> None:
    """Append a positive step's number of items to a queue; remove existing items for others."""
    lanes: PartitionQueues[int, int] = PartitionQueues()
    expected: dict[int, deque[int]] = {0: deque(), 1: deque(), 2: deque()}
    for number, (key, step) in enumerate(steps):
        if step > 0:
            for _ in range(step):
                lanes.append(key, number)
                expected[key].append(number)
        else:
            count = min(-step, len(expected[key]))
            for _ in range(count):
                lanes.remove_head(key)
                expected[key].popleft()
            lanes.head(key)
        for lane, items in expected.items():
            assert lanes.waiting(lane) == tuple(items)
            assert lanes.head(lane) == (items[0] if items else None)
        assert len(lanes) == sum(map(len, expected.values()))
