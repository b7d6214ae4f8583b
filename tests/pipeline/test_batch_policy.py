"""Tests of the wait for the next item: only where it pays, and never longer than allowed."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catdog_stream.pipeline.batch_policy import BatchPolicy

MS = 0.001
HOUR = 3600.0
COSTS = st.floats(0, 0.05)
GAPS = st.sampled_from([0.0, 0.1 * MS, 1 * MS, 3 * MS, 10 * MS, 100 * MS, 10.0])


class Taught:
    """Policy that has seen batches that cost ``a + b * n``, then arrivals with ``gaps``."""

    def __init__(self, a: float, b: float, gaps: list[float], max_wait: float = HOUR) -> None:
        self.policy = BatchPolicy(max_batch=64, max_wait=max_wait)
        for size in (1, 5, 2, 8) * 3:
            self.policy.served(size, a + b * size)
        self.now = 0.0
        self.policy.arrived(self.now)
        for gap in gaps:
            self.now += gap
            self.policy.arrived(self.now)

    def waits(self, queued: int, since: float = 0.0) -> float:
        """Return the seconds that ``queued`` items wait; the first arrived ``since`` ago."""
        return max(0.0, self.policy.go_at(queued, self.now - since) - self.now)


@given(a=COSTS, b=COSTS, gap=st.floats(0.1 * MS, 50 * MS), queued=st.integers(1, 20))
def test_it_waits_where_the_sum_of_the_completion_times_is_smaller(
    a: float, b: float, gap: float, queued: int
) -> None:
    at_once = queued * (a + b * queued) + (a + b * queued) + (a + b)
    waiting = (queued + 1) * (gap + a + b * (queued + 1))
    assume(abs(at_once - waiting) > 1e-6)  # rounding would decide
    assert (Taught(a, b, [gap] * 20).waits(queued) > 0) == (waiting < at_once)


@given(b=COSTS, gaps=st.lists(GAPS), queued=st.integers(1, 64))
def test_it_never_waits_where_a_batch_costs_what_its_items_cost(
    b: float, gaps: list[float], queued: int
) -> None:
    assert Taught(0, b, gaps).waits(queued) == 0


@given(a=COSTS, b=COSTS, gaps=st.lists(GAPS), queued=st.integers(1, 20), since=GAPS)
def test_no_item_waits_for_longer_than_allowed_or_than_can_pay(
    a: float, b: float, gaps: list[float], queued: int, since: float
) -> None:
    waits = Taught(a, b, gaps, max_wait=5 * MS).waits(queued, since)
    assert waits <= max(0, 5 * MS - since) + 1e-6
    assert waits <= max(0, (a - b * queued) / (queued + 1)) + 1e-6


@given(a=COSTS, b=COSTS, gaps=st.lists(GAPS), queued=st.integers(1, 20))
def test_it_never_waits_if_it_may_not(a: float, b: float, gaps: list[float], queued: int) -> None:
    assert Taught(a, b, gaps, max_wait=0).waits(queued) == 0


def test_a_full_batch_goes() -> None:
    taught = Taught(1.0, 0, [0.1 * MS] * 20)
    assert taught.waits(63) > 0
    assert taught.waits(64) == 0
    assert taught.waits(65) == 0


def test_it_does_not_wait_before_it_knows_what_a_batch_costs() -> None:
    policy = BatchPolicy(max_batch=64, max_wait=1)
    for number in range(10):
        policy.arrived(number * MS)
        assert policy.go_at(1, number * MS) <= number * MS


def test_it_does_not_wait_before_it_knows_how_often_items_come() -> None:
    assert Taught(1.0, 0, []).waits(1) == 0


def test_it_does_not_wait_for_what_comes_too_late_to_be_waited_for() -> None:
    """Use an item that would justify 10 ms of waiting where only 5 are allowed."""
    assert Taught(30 * MS, 0, [10 * MS] * 20).waits(1) > 0
    assert Taught(30 * MS, 0, [10 * MS] * 20, max_wait=5 * MS).waits(1) == 0


def test_in_a_burst_it_waits_for_the_rest_although_the_mean_gap_is_long() -> None:
    burst = [1.0] + [0.3 * MS] * 7
    assert Taught(8 * MS, 0.1 * MS, [*burst * 3, 1.0]).waits(1) == pytest.approx(3.95 * MS)


def test_what_does_not_come_is_not_waited_for_again_and_again() -> None:
    taught = Taught(8 * MS, 0.1 * MS, [0.3 * MS] * 20)
    assert taught.waits(1) > 0
    lonely = Taught(8 * MS, 0.1 * MS, [0.3 * MS] * 20 + [1.0] * 30)
    assert lonely.waits(1) == 0
