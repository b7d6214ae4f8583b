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
    for fit in (temperature, platt):
        loss = log_loss(labels, _held_out(fit, logits, labels, np.asarray(folds)))
        if loss < least:
            best, least = fit, loss
    return best(logits, labels) if best else None


def temperature(logits: Logits, labels: Labels) -> Calibration:
    """Return the slope with the least log loss."""
    return _fit(logits, labels, [_SLOPES])


def platt(logits: Logits, labels: Labels) -> Calibration:
    """Return the slope and intercepts with the least log loss; the first intercept is 0."""
    return _fit(logits, labels, [_SLOPES] + [_INTERCEPTS] * (logits.shape[1] - 1))


def _fit(logits: Logits, labels: Labels, bounds: Sequence[tuple[float, float]]) -> Calibration:
    """Return the calibration with the least log loss, with these bounds of slope and intercepts."""
    classes = logits.shape[1]
    targets = _targets(labels, classes)

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


def _targets(labels: Labels, classes: int) -> Targets:
    """Return Platt's target probabilities: near 1, but less for classes with fewer pictures."""
    counts = np.bincount(labels, minlength=classes)[labels]
    others = 1 / (counts + classes)
    targets = np.repeat(others[:, np.newaxis], classes, axis=1)
    targets[np.arange(len(labels)), labels] = (counts + 1) * others
    return targets
