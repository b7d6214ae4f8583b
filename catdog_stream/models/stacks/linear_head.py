"""A linear head: multinomial logistic regression from features to the logits of the classes."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import StackError
from catdog_stream.models.engines.backbone import Features
from catdog_stream.models.stacks.array_file import read_arrays
from catdog_stream.models.stacks.calibration import Calibration, Logits

__all__ = ["LinearModel"]

#: Largest decompressed size of the arrays in a file, in bytes: 10,000 classes of 2,048 features.
MAX_BYTES = 128 * 1024 * 1024


class LinearModel:
    """Weights of the features for each class. Thread-safe.

    Args:
        weights: [classes, features].
        bias: logit of each class without features, [classes].
    """

    def __init__(self, weights: npt.ArrayLike, bias: npt.ArrayLike) -> None:
        self._weights = np.ascontiguousarray(weights, np.float32)
        self._bias = np.asarray(bias, np.float32)
        self._plain = Calibration.none(len(self._bias))

    def logits(self, features: Features) -> Logits:
        """Return the logits of each row of ``features`` [n, f], whatever the other rows are."""
        # Row by row and without BLAS: a matrix product of another shape may round differently.
        logits = np.empty((len(features), len(self._bias)))
        for number, row in enumerate(np.ascontiguousarray(features)):
            logits[number] = np.einsum("cf,f->c", self._weights, row) + self._bias
        return logits

    def probabilities(self, features: Features) -> Logits:
        """Return the softmax of the logits, float64 [n, classes] in 0 to 1."""
        return self._plain.probabilities(self.logits(features))

    def save(self, file: Path) -> None:
        """Write ``file``, with the same bytes for the same numbers. Raises ``OSError``."""
        np.savez(file, weights=self._weights, bias=self._bias)

    @classmethod
    def load(cls, file: Path, features: int, classes: int) -> "LinearModel":
        """Read ``file``, for these numbers of features and classes. Raises ``StackError``."""
        weights, bias = read_arrays(file, ("weights", "bias"), most_bytes=MAX_BYTES)
        if weights.shape != (classes, features) or bias.shape != (classes,):
            raise StackError(f"{file} is not for {classes} classes of {features} features.")
        return cls(weights, bias)
