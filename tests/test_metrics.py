"""Tests of metrics that are computed when they are read, and of those that start at zero."""

from typing import get_args

import pytest

from catdog_stream import metrics
from tests.support.metrics import broker_errors


@pytest.fixture
def lag() -> metrics._Lag:
    """Return a metric of lag for one test."""
    return metrics._Lag()


def test_lag_is_that_of_the_partitions_that_are_known_now(lag: metrics._Lag) -> None:
    now: dict[int, tuple[int, int] | None] = {0: (5, 3), 3: None, 12: (0, 0)}
    lag.set_function(lambda: now)
    assert [(s.name, s.labels, s.value) for family in lag.collect() for s in family.samples] == [
        ("catdog_lag", {"partition": "0"}, 5),
        ("catdog_lag", {"partition": "12"}, 0),
        ("catdog_lag_readable", {"partition": "0"}, 3),
        ("catdog_lag_readable", {"partition": "12"}, 0),
    ]
    now.clear()
    assert not any(family.samples for family in lag.collect())


def test_before_there_is_a_consumer_there_is_no_lag(lag: metrics._Lag) -> None:
    assert not any(family.samples for family in lag.collect())


@pytest.mark.parametrize("kind", get_args(metrics.BrokerErrorKind))
def test_errors_are_counted_from_nothing_on(kind: metrics.BrokerErrorKind) -> None:
    before = broker_errors(kind)
    metrics.count_broker_error(kind)
    assert broker_errors(kind) == before + 1


def test_a_label_has_no_more_than_so_many_values() -> None:
    values = metrics.Values(3)
    assert [values(name) for name in ("a", "b", "a", "c", "d", "b", "e")] == [
        *("a", "b", "a", "c", metrics.OTHER, "b", metrics.OTHER)
    ]


def test_votes_that_anybody_writes_do_not_make_time_series_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Check labels and stacks, as a jury counts its decisions."""
    monkeypatch.setattr(metrics, "_label_and_stack", metrics.Values(metrics.MAX_PAIRS))
    monkeypatch.setattr(metrics, "_vote", metrics.Values())
    monkeypatch.setattr(metrics, "stack_value", metrics.Values())
    of_labels, of_stacks = len(metrics.LABELS._metrics), len(metrics.REQUEST_SECONDS._metrics)
    of_votes = len(metrics.VOTES_CAST._metrics)
    for number in range(3000):
        metrics.labels_of(f"class-{number}", f"made-up {number}").inc()
        metrics.request_seconds_of(f"made-up {number}").observe(1.0)
        metrics.votes_cast_of(f"class-{number}").inc()
    assert len(metrics.LABELS._metrics) <= of_labels + metrics.MAX_PAIRS + 1
    assert len(metrics.REQUEST_SECONDS._metrics) <= of_stacks + metrics.MAX_VALUES + 1
    assert len(metrics.VOTES_CAST._metrics) <= of_votes + metrics.MAX_VALUES + 1
