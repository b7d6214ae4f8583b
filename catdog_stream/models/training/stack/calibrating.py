"""Fitting of a head's calibration on held-out pictures.

Three calibrations are compared: none; a slope (Guo et al., "On Calibration of Modern Neural
Networks", 2017); a slope and an intercept for each class (Platt 1999). The calibration with the
least log loss on pictures that it was not fitted on wins. Without a difference there is none.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from catdog_stream.models.stacks.calibration import Calibration, Logits
from catdog_stream.models.training.evaluation import Labels, log_loss

__all__ = ["calibrate", "platt", "temperature"]

#: Ranges of the slope and of the intercepts. Other values occur if all verdicts are right, or with
#: too few pictures.
_SLOPES = (0.2, 5.0)
_INTERCEPTS = (-10.0, 10.0)
MOST_WITH_INTERCEPTS = 16
"""Largest number of classes for which intercepts are tried: more have few pictures each."""
#: Least gain in log loss of a calibration, on pictures that it was not fitted on.
_LEAST_GAIN = 1e-4

Targets = npt.NDArray[np.float64]
"""Target probabilities, float64 [n, classes]."""


def calibrate(logits: Logits, labels: Labels, folds: Sequence[int]) -> Calibration | None:
    """Return the best calibration, or ``None`` if no calibration helps.

    Args:
        logits: logits of pictures that the head was not trained on.
        labels: index of the true class of each picture, [n].
        folds: fold of each picture; each fold is held out once to compare the calibrations.
    """
    classes = logits.shape[1]
    plain = log_loss(labels, Calibration.none(classes).probabilities(logits))
    best, least = None, plain - _LEAST_GAIN
    for fit in (temperature, platt) if classes <= MOST_WITH_INTERCEPTS else (temperature,):
        loss = log_loss(labels, _held_out(fit, logits, labels, np.asarray(folds)))
        if loss < least:
            best, least = fit, loss
    return best(logits, labels) if best else None


def temperature(logits: Logits, labels: Labels) -> Calibration:
    """Return the slope with the least log loss."""
    counts = np.full(len(labels), len(labels))
    return _fit(logits, labels, counts, [_SLOPES])


def platt(logits: Logits, labels: Labels) -> Calibration:
    """Return the slope and intercepts with the least log loss; the first intercept is 0."""
    counts = np.bincount(labels)[labels]
    return _fit(logits, labels, counts, [_SLOPES] + [_INTERCEPTS] * (logits.shape[1] - 1))


def _fit(
    logits: Logits, labels: Labels, counts: Labels, bounds: Sequence[tuple[float, float]]
) -> Calibration:
    """Return the calibration with the least log loss.

    Args:
        logits: logits of the pictures.
        labels: index of the true class of each picture, [n].
        counts: for each picture, the number of pictures from which its parameters are found, [n].
        bounds: bounds of the slope and of the intercepts; without them, the intercepts are 0.
    """
    classes = logits.shape[1]
    targets = _targets(labels, counts, classes)

    def calibration(values: Targets) -> Calibration:
        intercepts = values[1:] if len(values) > 1 else np.zeros(classes - 1)
        return Calibration(float(values[0]), (0.0, *map(float, intercepts)))

    def loss(values: Targets) -> tuple[float, Targets]:
        """Return the loss and its gradient."""
        probabilities = calibration(values).probabilities(logits)
        wrong = (probabilities - targets) / len(labels)
        gradient = np.array([np.sum(wrong * logits), *wrong.sum(axis=0)[1:]])
        surprise = -np.log(np.maximum(probabilities, 1e-12))
        return float(np.sum(targets * surprise)) / len(labels), gradient[: len(values)]

    start = [1.0] + [0.0] * (len(bounds) - 1)
    found: Any = minimize(loss, start, bounds=bounds, method="L-BFGS-B", jac=True)
    return calibration(found.x)


def _held_out(
    fit: Callable[[Logits, Labels], Calibration],
    logits: Logits,
    labels: Labels,
    folds: npt.NDArray[np.intp],
) -> Targets:
    probabilities = np.empty_like(logits)
    for fold in np.unique(folds):
        out = folds == fold
        probabilities[out] = fit(logits[~out], labels[~out]).probabilities(logits[out])
    return probabilities


def _targets(labels: Labels, counts: Labels, classes: int) -> Targets:
    """Return Platt's target probabilities: near 1, but less for fewer pictures."""
    others = 1 / (counts + 2)
    targets = np.repeat(others[:, np.newaxis] / (classes - 1), classes, axis=1)
    targets[np.arange(len(labels)), labels] = 1 - others
    return targets
