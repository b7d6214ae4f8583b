"""Tests of the ratios by which scaling is judged."""

import pytest

from benchmarks.measuring import Pace
from benchmarks.scaling import Case, growth, two_to_one


def test_two_workers_are_compared_with_one_on_the_same_backlog() -> None:
    paces = {
        Case(partitions=1, backlog=1000, workers=1): Pace(25.0, {"program": 0.03}),
        Case(partitions=8, backlog=1000, workers=1): Pace(30.0, {"program": 0.03}),
        Case(partitions=8, backlog=1000, workers=2): Pace(57.0, {"program": 0.03}),
    }
    assert two_to_one(paces) == {"two workers / one, 1,000 in 8 partitions": pytest.approx(1.9)}


def test_growth_is_the_cost_in_the_longest_backlog_over_that_in_the_shortest() -> None:
    cost = {1000: 0.030, 5000: 0.050, 10_000: 0.033}
    paces = {
        Case(partitions=1, backlog=backlog, workers=1): Pace(30.0, {"program": seconds})
        for backlog, seconds in cost.items()
    }
    assert growth(paces) == {"cost, 1 worker, 10,000 in 1 partition / in 1,000": pytest.approx(1.1)}


def test_one_backlog_alone_tells_nothing_of_growth() -> None:
    assert growth({Case(partitions=1, backlog=100, workers=1): Pace(30.0, {"program": 0.03})}) == {}
