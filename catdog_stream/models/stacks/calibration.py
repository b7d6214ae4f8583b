"""Calibration of a head's probabilities: of the verdicts with 90 %, nine in ten are correct.

The section ``calibration`` of a manifest::

    {"slope": 0.87, "intercept": [0.0, -0.12]}

The head's log-odds are multiplied by ``slope`` (temperature scaling), and ``intercept``, a number
for each class, is added (Platt, "Probabilistic Outputs for Support Vector Machines", 1999, for two
classes). ``training/calibrating.py`` fits both.
"""

from typing import Annotated

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

__all__ = ["Calibration", "Logits"]

Logits = npt.NDArray[np.float64]
"""Logarithms of the probabilities plus a constant for each row, float64 [n, classes]."""


#: Largest slope and intercept, so that every probability is finite.
_LARGEST = 1000


class Calibration(Struct, frozen=True, forbid_unknown_fields=True):
    """Conversion of logits to calibrated probabilities."""

    slope: Annotated[float, Meta(gt=0, le=_LARGEST)]
    """Factor of the logits; below 1 if the head is overconfident."""
    intercept: tuple[Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)], ...]
    """Summand for each class."""

    @classmethod
    def none(cls, classes: int) -> "Calibration":
        """Return the calibration that changes nothing."""
        return cls(1.0, (0.0,) * classes)

    def probabilities(self, logits: Logits) -> npt.NDArray[np.float64]:
        """Return the probabilities, float64 [n, classes] in 0 to 1."""
        scaled = self.slope * logits + np.array(self.intercept)
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        probabilities: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return probabilities
