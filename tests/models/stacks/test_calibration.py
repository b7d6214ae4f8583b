"""Tests of a calibration: it changes the confidence of a stack, and nothing else."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins

from catdog_stream.documents import convert
from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.head import Head
from catdog_stream.models.stacks.locate import default_stack

numbers = st.floats(-50, 50)
logits = st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=5).map(np.array)
calibrations = st.builds(Calibration, st.floats(0.01, 100), st.tuples(numbers, numbers, numbers))


@given(logits, calibrations)
def test_probabilities_are_probabilities(logits: Any, calibration: Calibration) -> None:
    probabilities = calibration.probabilities(logits)
    assert np.isfinite(probabilities).all()
    assert np.all(probabilities >= 0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


@given(logits, st.floats(0.01, 100))
def test_a_slope_alone_changes_no_verdict(logits: Any, slope: float) -> None:
    probabilities = Calibration(slope, (0.0, 0.0, 0.0)).probabilities(logits)
    best = probabilities.max(axis=1)
    assert np.all(probabilities[np.arange(len(logits)), logits.argmax(axis=1)] == best)


@given(calibrations)
def test_a_manifest_keeps_it_to_the_bit(calibration: Calibration) -> None:
    assert convert(to_builtins(calibration), Calibration) == calibration


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"slope": 1},
        {"slope": 0, "intercept": [0, 0]},
        {"slope": -1, "intercept": [0, 0]},
        {"slope": float("nan"), "intercept": [0, 0]},
        {"slope": float("inf"), "intercept": [0, 0]},
        {"slope": True, "intercept": [0, 0]},
        {"slope": 1, "intercept": 0},
        {"slope": 1, "intercept": [0, "0"]},
        {"slope": 1, "intercept": [0, float("nan")]},
        {"slope": 1, "intercept": [0, 10**400]},
        {"slope": 1, "intercept": [0, 0], "more": 1},
    ],
)
def test_what_is_none_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match=r"slope|intercept|more|document"):
        convert(document, Calibration)


def test_a_head_answers_as_calibrated() -> None:
    file, features = default_stack() / "head.ubj", np.random.default_rng(0).random((20, 2048), "f4")
    plain = Head(file, 2048, 2)
    same = Head(file, 2048, 2, Calibration.none(2))
    np.testing.assert_allclose(same.scores(features), plain.scores(features), atol=1e-6)
    calibrated = Head(file, 2048, 2, Calibration(0.5, (0.0, 1.0)))
    odds = np.diff(plain.logits(features), axis=1)
    expected = 1 / (1 + np.exp(-(0.5 * odds + 1)))
    np.testing.assert_allclose(calibrated.scores(features)[:, 1:], expected)


def test_a_calibrated_head_is_as_sure_as_it_may_be() -> None:
    """Use a probability so near to 1 that a 32-bit float cannot represent it."""
    probabilities = Calibration(1.0, (0.0, 0.0)).probabilities(np.array([[0.0, 30.0]]))
    assert 0 < probabilities[0, 0] < 1e-12
