"""Tests of calibration: it finds distortions of probabilities, and keeps true ones unchanged."""

import numpy as np
import pytest

from catdog_stream.models.stacks.calibration import Calibration, Logits
from catdog_stream.models.training.evaluation import Labels, calibration_error, log_loss
from catdog_stream.models.training.stack.calibrating import calibrate, platt, temperature


def answered(count: int, classes: int, seed: int = 0) -> tuple[Logits, Labels]:
    """Return calibrated logits: each picture's class is drawn by their probabilities."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (count, classes))
    probabilities = Calibration.none(classes).probabilities(logits)
    return logits, np.array([random.choice(classes, p=row) for row in probabilities])


def folds(count: int) -> list[int]:
    return [number % 5 for number in range(count)]


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_true_probabilities_are_left_alone(classes: int) -> None:
    logits, labels = answered(4000, classes)
    found = calibrate(logits, labels, folds(4000))
    if found is not None:  # a calibration without effect
        apart = found.probabilities(logits) - Calibration.none(classes).probabilities(logits)
        assert np.abs(apart).mean() < 0.01


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("slope", [0.5, 2.0])
def test_a_slope_is_undone(classes: int, slope: float) -> None:
    logits, labels = answered(4000, classes)
    found = calibrate(logits / slope, labels, folds(4000))
    assert found is not None
    assert found.slope == pytest.approx(slope, rel=0.1)
    before = calibration_error(labels, Calibration.none(classes).probabilities(logits / slope))
    after = calibration_error(labels, found.probabilities(logits / slope))
    assert after < 0.02 < before


def test_a_slope_is_undone_for_many_classes_of_few_pictures() -> None:
    """Use heads that are right, and sure of it by a fifth alone, as after training on views."""
    random = np.random.default_rng(0)
    labels = np.arange(2000) % 200
    logits = random.normal(0, 1, (2000, 200))
    logits[np.arange(2000), labels] += 6
    found = calibrate(logits, labels, folds(2000))
    assert found is not None
    before = calibration_error(labels, Calibration.none(200).probabilities(logits))
    assert calibration_error(labels, found.probabilities(logits)) < 0.05 < 0.3 < before


def test_a_shift_is_undone_where_a_slope_cannot() -> None:
    logits, labels = answered(4000, 2)
    found = calibrate(logits + np.array([0.0, 1.5]), labels, folds(4000))
    assert found is not None
    assert found.intercept[1] == pytest.approx(-1.5, abs=0.2)


@pytest.mark.parametrize("fit", [temperature, platt])
@pytest.mark.parametrize("seed", range(3))
def test_no_fit_surprises_more_on_its_own_pictures(fit: object, seed: int) -> None:
    logits, labels = answered(500, 3, seed)
    found = (platt if fit is platt else temperature)(logits * 3, labels)
    before = log_loss(labels, Calibration.none(3).probabilities(logits * 3))
    assert log_loss(labels, found.probabilities(logits * 3)) <= before


def test_few_pictures_that_are_all_right_make_no_certainty() -> None:
    labels = np.arange(30) % 2
    logits = np.stack([np.zeros(30), np.where(labels, 2.0, -2.0)], axis=1)
    probabilities = platt(logits, labels).probabilities(logits)
    assert 0.9 < probabilities.max() < 0.99
