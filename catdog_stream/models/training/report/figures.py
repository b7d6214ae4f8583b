"""The data of the charts of a report."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.training.evaluation import CALIBRATION_BINS, Labels, Probabilities

__all__ = ["area_under", "bins", "mistakes", "roc", "smooth", "uncalibrated"]


def roc(truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return the ROC curve: false and true positive rates, 0 to 1, from the strictest threshold."""
    order = np.argsort(-scores, kind="stable")
    right = truth[order]
    # A threshold lies between two scores that differ.
    ends = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    hits = np.cumsum(right)[ends] / max(1, right.sum())
    alarms = np.cumsum(~right)[ends] / max(1, (~right).sum())
    return [(0.0, 0.0), *zip(alarms.tolist(), hits.tolist(), strict=True)]


def area_under(points: Sequence[tuple[float, float]]) -> float:
    """Return the area under a line.

    For ``roc`` this is the probability that a picture of the class has a higher score than a
    picture of another class.
    """
    x, y = np.array(points).T
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def bins(labels: Labels, probabilities: Probabilities) -> list[tuple[float, float, int]]:
    """Return mean confidence, accuracy and number of pictures of each bin that is not empty."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    index = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return [
        (float(confidence[here].mean()), float(right[here].mean()), int(here.sum()))
        for number in range(CALIBRATION_BINS)
        if (here := index == number).any()
    ]


def uncalibrated(probabilities: Probabilities, calibration: Calibration) -> Probabilities:
    """Return the probabilities before ``calibration``."""
    logits = (np.log(np.maximum(probabilities, 1e-300)) - calibration.intercept) / calibration.slope
    return Calibration.none(probabilities.shape[1]).probabilities(logits)


def mistakes(labels: Labels, probabilities: Probabilities) -> list[int]:
    """Return the indices of the pictures with a wrong verdict, the most confident first."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return [
        int(number)
        for number in wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]
    ]


def smooth(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return the running mean of losses, which vary from batch to batch."""
    width = max(1, len(values) // 50)
    padded = np.concatenate([np.repeat(values[:1], width - 1), values])
    return np.convolve(padded, np.full(width, 1 / width), "valid")
