"""Metrics that are told when they are asked for, and those that begin at nothing."""

from typing import get_args

import pytest

from catdog_stream import metrics
from tests.support.metrics import broker_errors


@pytest.fixture
def lag() -> metrics._Lag:
    """One of the test's own."""
    return metrics._Lag()


def test_lag_is_that_of_the_partitions_that_are_known_now(lag: metrics._Lag) -> None:
    now: dict[int, int | None] = {0: 5, 3: None, 12: 0}
    lag.set_function(lambda: now)
    (family,) = lag.collect()
    assert [(s.name, s.labels, s.value) for s in family.samples] == [
        ("catdog_lag", {"partition": "0"}, 5),
        ("catdog_lag", {"partition": "12"}, 0),
    ]
    now.clear()
    (family,) = lag.collect()
    assert family.samples == []


def test_before_there_is_a_consumer_there_is_no_lag(lag: metrics._Lag) -> None:
    (family,) = lag.collect()
    assert family.samples == []


@pytest.mark.parametrize("kind", get_args(metrics.BrokerErrorKind))
def test_errors_are_counted_from_nothing_on(kind: metrics.BrokerErrorKind) -> None:
    before = broker_errors(kind)
    metrics.count_broker_error(kind)
    assert broker_errors(kind) == before + 1
