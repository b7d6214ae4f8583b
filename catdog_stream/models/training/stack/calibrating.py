"""Find the calibration of a head by pictures that it was not trained on.

Three are compared: none; a slope (Guo et al., "On Calibration of Modern Neural Networks", 2017);
a slope and an intercept for each class (Platt 1999). The one that surprises least on pictures that
it was not fitted on is taken, and none if there is no difference.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from catdog_stream.models.stacks.calibration import Calibration, Logits
from catdog_stream.models.training.evaluation import Labels, log_loss

__all__ = ["calibrate", "platt", "temperature"]

#: A slope beyond these is one of pictures that are all right, or of too few.
_SLOPES = (0.2, 5.0)
#: Log loss that a calibration has to save on pictures that it was not fitted on.
_LEAST_GAIN = 1e-4

Targets = npt.NDArray[np.float64]
"""The chances wanted, [n, classes]."""


def calibrate(logits: Logits, labels: Labels, folds: Sequence[int]) -> Calibration | None:
    """The calibration for ``logits`` of pictures that the head was not trained on.

    ``folds`` says of each picture by which part it is judged: the one that it is in is held out.
    ``None`` if none helps.
    """
    classes = logits.shape[1]
    plain = log_loss(labels, Calibration.none(classes).chances(logits))
    best, least = None, plain - _LEAST_GAIN
    for fit in (temperature, platt):
        loss = log_loss(labels, _held_out(fit, logits, labels, np.asarray(folds)))
        if loss < least:
            best, least = fit, loss
    return best(logits, labels) if best else None


def temperature(logits: Logits, labels: Labels) -> Calibration:
    """The slope that surprises least."""
    classes = logits.shape[1]
    targets = _targets(labels, classes)

    def loss(slope: npt.NDArray[np.float64]) -> float:
        return _loss(Calibration(float(slope[0]), (0.0,) * classes), logits, targets)

    found = minimize(loss, [1.0], bounds=[_SLOPES], method="L-BFGS-B")
    return Calibration(float(found.x[0]), (0.0,) * classes)


def platt(logits: Logits, labels: Labels) -> Calibration:
    """The slope and the intercepts that surprise least; that of the first class is 0."""
    classes = logits.shape[1]
    targets = _targets(labels, classes)

    def calibration(values: npt.NDArray[np.float64]) -> Calibration:
        return Calibration(float(values[0]), (0.0, *map(float, values[1:])))

    def loss(values: npt.NDArray[np.float64]) -> float:
        return _loss(calibration(values), logits, targets)

    start = [1.0] + [0.0] * (classes - 1)
    bounds = [_SLOPES] + [(-10.0, 10.0)] * (classes - 1)
    found: Any = minimize(loss, start, bounds=bounds, method="L-BFGS-B")
    return calibration(found.x)


def _held_out(
    fit: Callable[[Logits, Labels], Calibration],
    logits: Logits,
    labels: Labels,
    folds: npt.NDArray[np.intp],
) -> Targets:
    chances = np.empty_like(logits)
    for fold in np.unique(folds):
        out = folds == fold
        chances[out] = fit(logits[~out], labels[~out]).chances(logits[out])
    return chances


def _targets(labels: Labels, classes: int) -> Targets:
    """Nearly certain, as of Platt: the fewer pictures of a class, the less."""
    counts = np.bincount(labels, minlength=classes)[labels]
    others = 1 / (counts + classes)
    targets = np.repeat(others[:, np.newaxis], classes, axis=1)
    targets[np.arange(len(labels)), labels] = (counts + 1) * others
    return targets


def _loss(calibration: Calibration, logits: Logits, targets: Targets) -> float:
    chances = np.maximum(calibration.chances(logits), 1e-12)
    return float(-np.mean(np.sum(targets * np.log(chances), axis=1)))
