"""Training of a linear head: multinomial logistic regression on the features, by L-BFGS.

The features of all views are standardized. The L2 penalty is chosen on held-out pictures. The
matrix products use all cores, whatever the number of threads is.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy
from scipy.optimize import minimize
from tqdm import tqdm

from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.linear_head import LinearModel
from catdog_stream.models.stacks.writing import LINEAR_HEAD_FILE
from catdog_stream.models.training.data.splitting import even_folds
from catdog_stream.models.training.evaluation import Labels, log_loss
from catdog_stream.models.training.head.features import Seen
from catdog_stream.models.training.head.held_out import (
    Arrays,
    HeldOut,
    Remember,
    folds_without,
    forget,
)
from catdog_stream.models.training.head.options import HeadKind

__all__ = ["LinearLearner"]

#: Strengths of the L2 penalty, for the mean loss of a picture. For each fold, weaker ones are tried
#: until the held-out loss rises.
STRENGTHS = (1e-1, 3e-2, 1e-2, 1e-3, 1e-4)
#: Largest number of iterations, and the reduction of the loss that ends them.
_MOST_ITERATIONS, _LEAST_GAIN = 200, 1e-5

Weights = npt.NDArray[np.float64]
"""Weights of the standardized features, then the bias: float64 [features + 1, classes]."""


class LinearLearner:
    """Training of linear heads.

    Args:
        classes: number of classes.
        progress: show the progress.
    """

    kind: HeadKind = "linear"

    def __init__(self, classes: int, *, progress: bool) -> None:
        self._classes, self._progress = classes, progress

    def hold_out(self, seen: Seen, folds: Sequence[int], remember: Remember) -> HeldOut:
        """Train heads of each strength for each fold; the setting is the best strength."""
        logits = np.zeros((len(STRENGTHS), len(seen.labels), self._classes))
        # A fold with all pictures leaves none to train on: each class has one picture.
        outs = [(fold, out) for fold, out in folds_without(folds) if not out.all()]
        for fold, out in tqdm(outs, unit="fold", desc="linear", disable=not self._progress):
            found = remember(f"linear-{fold}", partial(self._without, seen, out))
            logits[:, out] = found["logits"]
        losses = [_loss(seen.labels, each) for each in logits]
        best = int(np.argmin(losses))
        return HeldOut(STRENGTHS[best], logits[best])

    def _without(self, seen: Seen, out: npt.NDArray[np.bool_]) -> Arrays:
        problem = _Problem(Seen(seen.features[~out], seen.labels[~out], []), self._classes)
        found = np.full((len(STRENGTHS), int(out.sum()), self._classes), np.nan, np.float32)
        weights, least = None, np.inf
        for number, strength in enumerate(STRENGTHS):
            weights = problem.solve(strength, weights)
            found[number] = problem.model(weights).logits(seen.whole[out])
            if (loss := _loss(seen.labels[out], found[number])) > least:
                break
            least = loss
        return {"logits": found}

    def default_setting(self, seen: Seen) -> float:
        """Return the best strength for five folds."""
        return self.hold_out(seen, even_folds(seen.labels).tolist(), forget).setting

    def write(self, seen: Seen, setting: float, directory: Path) -> None:
        """Train a head of the strength ``setting``, and write ``head.npz``."""
        problem = _Problem(seen, self._classes)
        problem.model(problem.solve(setting, None)).save(directory / LINEAR_HEAD_FILE)

    def record(self, setting: float) -> dict[str, Any]:
        """Return the parameters of the training for a manifest."""
        return {"l2": setting, "scipy": scipy.__version__}


def _loss(labels: Labels, logits: npt.NDArray[np.floating]) -> float:
    """Return the log loss; infinite for logits that were not computed."""
    if np.isnan(logits).any():
        return np.inf
    plain = Calibration.none(logits.shape[1])
    return log_loss(labels, plain.probabilities(logits.astype(np.float64)))


class _Problem:
    """The loss of linear heads on all views of pictures, and its minimum."""

    def __init__(self, seen: Seen, classes: int) -> None:
        _, views, features = seen.features.shape
        rows = seen.features.reshape(-1, features)
        self._mean = rows.mean(axis=0, dtype=np.float64)
        self._rows = rows - self._mean.astype(np.float32)
        deviation = np.sqrt(np.einsum("nf,nf->f", self._rows, self._rows) / len(rows))
        # A feature that does not vary has no weight.
        varies = deviation > 1e-6 * deviation.max()
        self._scale = np.where(varies, 1 / np.where(varies, deviation, 1), 0)
        self._rows *= self._scale.astype(np.float32)
        self._labels = np.repeat(seen.labels, views)
        self._shape = (features + 1, classes)

    def solve(self, strength: float, start: Weights | None) -> Weights:
        """Return the weights with the least loss for a strength of the penalty."""
        begin = np.zeros(self._shape) if start is None else start
        found = minimize(
            self._loss,
            begin.ravel(),
            (strength,),
            method="L-BFGS-B",
            jac=True,
            options={"maxiter": _MOST_ITERATIONS, "ftol": _LEAST_GAIN, "gtol": 0},
        )
        weights: Weights = found.x.reshape(self._shape)
        return weights

    def model(self, weights: Weights) -> LinearModel:
        """Return the head with these weights, for features that are not standardized."""
        scaled = weights[:-1].T * self._scale
        return LinearModel(scaled.astype(np.float32), weights[-1] - scaled @ self._mean)

    def _loss(self, flat: Weights, strength: float) -> tuple[float, Weights]:
        """Return the mean cross-entropy with the penalty, and its gradient."""
        weights = flat.reshape(self._shape)
        values = self._rows @ weights[:-1].astype(np.float32)
        values += weights[-1].astype(np.float32)
        values -= values.max(axis=1, keepdims=True)
        index = np.arange(len(values)), self._labels
        true_class = values[index]
        np.exp(values, out=values)
        sums = values.sum(axis=1)
        loss = np.mean(np.log(sums) - true_class, dtype=np.float64)
        values /= sums[:, np.newaxis]
        values[index] -= 1
        gradient = np.empty(self._shape)
        gradient[:-1] = self._rows.T @ values / len(values) + strength * weights[:-1]
        gradient[-1] = values.mean(axis=0, dtype=np.float64)
        penalty = strength / 2 * np.square(weights[:-1]).sum()
        return float(loss + penalty), gradient.ravel()
