"""Tests that a training follows its plan: learning rate and order of the pictures."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.models.training.backbone.plan import (
    FineTuning,
    Phase,
    automatic,
    batches,
    rate_at,
)


def test_the_rate_goes_up_for_a_twentieth_and_then_down_to_nothing() -> None:
    rates = [rate_at(step, 200, 0.5) for step in range(200)]
    assert max(rates) == rates[10] == 0.5
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.001


def test_a_training_of_one_step_learns() -> None:
    assert rate_at(0, 1, 0.5) == 0.5


@given(st.integers(1, 50), st.integers(1, 8), st.integers(1, 40), st.integers(0, 40))
def test_the_order_is_the_same_wherever_a_training_goes_on(
    pictures: int, batch: int, steps: int, first: int
) -> None:
    first = min(first, steps)
    whole = batches(pictures, batch, steps, (7, 1))
    rest = batches(pictures, batch, steps, (7, 1), first=first)
    assert [each.tolist() for each in rest] == [each.tolist() for each in whole[first:]]
    assert all(len(each) == batch for each in whole)


def test_every_picture_is_seen_once_in_an_epoch() -> None:
    seen = np.concatenate(batches(12, 4, 6, (0,)))
    assert sorted(seen[:12]) == sorted(seen[12:]) == list(range(12))
    assert seen[:12].tolist() != seen[12:].tolist()


def test_half_an_epoch_sees_half_of_the_pictures() -> None:
    options = FineTuning((Phase(0.5, 224, 1e-4), Phase(0.001, 224, 1e-4)), batch=10)
    assert options.steps(0, 100) == 5
    assert options.steps(1, 100) == 1


def test_the_lower_layers_stay_as_they_are_throughout_where_that_is_wanted() -> None:
    plan = automatic(10_000, 260, epochs=0.5, upper=True)
    assert [(phase.upper, phase.epochs) for phase in plan.phases] == [(True, 0.5)]
