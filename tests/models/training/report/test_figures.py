"""Tests of the numbers in the charts, against numbers calculated by hand."""

import numpy as np
import pytest

from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.training.report.figures import (
    area_under,
    bins,
    mistakes,
    roc,
    smooth,
    uncalibrated,
)

TRUTH = np.array([True, True, False, True, False])


def test_each_threshold_is_a_point() -> None:
    points = roc(TRUTH, np.array([0.9, 0.8, 0.8, 0.3, 0.1]))
    assert points == [
        (0, 0),
        (0, pytest.approx(1 / 3)),
        (0.5, pytest.approx(2 / 3)),  # two pictures with one score
        (0.5, 1),
        (1, 1),
    ]


def test_the_area_is_the_chance_to_rank_a_pair_right() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.3, 0.1])
    pairs = [(a > b) for a in scores[TRUTH] for b in scores[~TRUTH]]
    assert area_under(roc(TRUTH, scores)) == pytest.approx(np.mean(pairs))
    assert area_under(roc(TRUTH, np.zeros(5))) == 0.5


def test_bins_hold_their_own() -> None:
    probabilities = np.array([[0.9, 0.1], [0.92, 0.08], [0.4, 0.6]])
    found = bins(np.array([0, 1, 1]), probabilities)
    np.testing.assert_allclose(found, [(0.6, 1.0, 1), (0.91, 0.5, 2)])


def test_a_calibration_is_undone() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (20, 3))
    calibration = Calibration(0.7, (0.0, 1.0, -2.0))
    before = uncalibrated(calibration.probabilities(logits), calibration)
    np.testing.assert_allclose(before, Calibration.none(3).probabilities(logits))


def test_the_most_confident_mistakes_come_first() -> None:
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [0.95, 0.05], [0.6, 0.4]])
    assert mistakes(np.array([1, 1, 1, 1]), probabilities) == [2, 0, 3]


def test_smoothing_keeps_length_and_level() -> None:
    np.testing.assert_allclose(smooth([2.0] * 500), [2.0] * 500)
    assert len(smooth([1.0])) == 1
