"""Tests of the cost of a batch, which is estimated from enough measurements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.pipeline.batch_cost import BatchCost

SIZES = st.integers(1, 64)
SECONDS = st.floats(1e-6, 100)


def learned(*batches: tuple[int, float]) -> BatchCost:
    cost = BatchCost()
    for size, seconds in batches:
        cost.observe(size, seconds)
    return cost


@given(
    a=st.floats(0, 0.1),
    b=st.floats(0.0001, 0.1),
    sizes=st.lists(SIZES, min_size=2, max_size=2, unique=True),
)
def test_a_line_is_found_exactly(a: float, b: float, sizes: list[int]) -> None:
    line = learned(*[(size, a + b * size) for size in sizes * 5]).line()
    assert line is not None
    assert line == pytest.approx((a, b), rel=1e-6, abs=1e-6)
    assert line(10) == pytest.approx(a + b * 10, rel=1e-6, abs=1e-6)


def test_a_few_batches_say_nothing() -> None:
    assert learned().line() is None
    assert learned(*[(1, 0.01), (2, 0.01)] * 2).line() is None


def test_batches_of_one_size_say_nothing_however_many_they_are() -> None:
    assert learned(*[(8, 0.01)] * 1000).line() is None


def test_a_single_batch_of_another_size_says_nothing_yet() -> None:
    assert learned(*[(1, 0.01)] * 100, (2, 0.01)).line() is None


def test_what_was_learned_long_ago_is_forgotten() -> None:
    varied = [(1, 0.01), (2, 0.01)] * 5
    assert learned(*varied).line() is not None
    assert learned(*varied, *[(2, 0.01)] * 1000).line() is None


def test_one_slow_batch_hardly_counts() -> None:
    usual = [(size, 0.008 + 0.0001 * size) for size in (1, 4, 2, 8)] * 10
    line = learned(*usual, (4, 10.0)).line()
    assert line is not None
    assert line(4) < 1.2 * 0.0084


def test_a_model_that_became_slower_for_good_is_believed() -> None:
    sizes = (1, 4, 2, 8)
    before = [(size, 0.001 * size) for size in sizes] * 10
    after = [(size, 0.05 + 0.001 * size) for size in sizes] * 50
    assert learned(*before, *after).line() == pytest.approx((0.05, 0.001), rel=0.1)


@given(st.lists(st.tuples(SIZES, SECONDS), max_size=30))
def test_no_measurements_make_a_cost_negative(batches: list[tuple[int, float]]) -> None:
    line = learned(*batches).line()
    assert line is None or (line.a >= 0 and line.b >= 0)


def test_where_batches_cost_less_than_one_by_one_nothing_is_said_to_be_fixed() -> None:
    """Use two items in 30 ms and eight in 140 ms: a line through them starts below 0."""
    line = learned(*[(2, 0.030), (8, 0.140)] * 5).line()
    assert line is not None
    assert line.a == 0
    assert line.b == pytest.approx(0.0173, rel=0.01)
