"""The scores of a complete classifier, whose network computes them, as probabilities."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from catdog_stream.models.checked_verdicts import SUM_TOLERANCE
from catdog_stream.models.engines.backbone import Features
from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.head import as_logits

__all__ = ["ClassScores"]

#: Smallest probability with a logarithm of its own.
_LEAST = 1e-12


class ClassScores:
    """Conversion of a network's scores to probabilities. Thread-safe.

    A network for two classes may have one score, that of the second class.

    Args:
        kind: ``logits``, whose softmax is the probabilities (for one score, the sigmoid), or
            ``probabilities``.
        classes: number of classes, 2 or more.
        features: number of features beside the scores, for an OOD score.
        step: distance between neighbouring values of a quantized output; 0 for floats.
        calibration: of the probabilities; ``None`` if they need none.
    """

    def __init__(
        self,
        kind: Literal["logits", "probabilities"],
        classes: int,
        *,
        features: int = 0,
        step: float = 0.0,
        calibration: Calibration | None = None,
    ) -> None:
        self._kind, self._features = kind, features
        self._calibration = calibration
        self._plain = Calibration.none(classes)
        # Of a quantized output, each probability is rounded by half a step, and 1 is a step less.
        self._tolerance = max(SUM_TOLERANCE, (classes / 2 + 1) * step)

    def scores(self, rows: Features) -> npt.NDArray[np.float64]:
        """Return the probabilities, float64 [n, classes], for ``rows`` [n, scores and features].

        What is no probability (NaN, outside of 0 to 1, another sum than 1) stays as it is, so that
        the picture is rejected with ``bad_verdict``.
        """
        values = rows[:, : rows.shape[1] - self._features].astype(np.float64)
        with np.errstate(all="ignore"):  # invalid numbers are found afterwards
            if self._kind == "logits":
                logits = as_logits(values[:, 0]) if values.shape[1] == 1 else values
                return (self._calibration or self._plain).probabilities(logits)
            if values.shape[1] == 1:
                values = np.concatenate((1 - values, values), axis=1)
            return self._normalized(values)

    def _normalized(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        sums = values.sum(axis=1, keepdims=True)
        valid = (np.abs(sums - 1) <= self._tolerance) & (sums > 0)
        for bad in (values < -SUM_TOLERANCE, values > 1 + SUM_TOLERANCE):
            valid &= ~bad.any(axis=1, keepdims=True)
        found = np.maximum(values, 0) / np.maximum(values, 0).sum(axis=1, keepdims=True)
        if self._calibration is not None:
            found = self._calibration.probabilities(np.log(np.maximum(found, _LEAST)))
        return np.where(valid, found, values)
