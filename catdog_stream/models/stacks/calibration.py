"""Calibration of a head's probabilities: of the verdicts with 90 %, nine in ten are correct.

The section ``calibration`` of a manifest::

    {"slope": 0.87, "intercept": [0.0, -0.12]}

The head's log-odds are multiplied by ``slope`` (temperature scaling), and ``intercept``, a number
for each class, is added (Platt, "Probabilistic Outputs for Support Vector Machines", 1999, for two
classes). ``training/calibrating.py`` fits both.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Calibration", "Logits"]

Logits = npt.NDArray[np.float64]
"""Logarithms of the probabilities plus a constant for each row, float64 [n, classes]."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Conversion of logits to calibrated probabilities."""

    slope: float
    """Factor of the logits, above 0; below 1 if the head is overconfident."""
    intercept: tuple[float, ...]
    """Summand for each class."""

    @classmethod
    def none(cls, classes: int) -> "Calibration":
        """Return the calibration that changes nothing."""
        return cls(1.0, (0.0,) * classes)

    def chances(self, logits: Logits) -> npt.NDArray[np.float64]:
        """Return the probabilities, float64 [n, classes] in 0 to 1."""
        scaled = self.slope * logits + np.array(self.intercept)
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        chances: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return chances

    def as_json(self) -> dict[str, Any]:
        """Return the object ``calibration`` of a manifest."""
        return {"slope": self.slope, "intercept": list(self.intercept)}

    @classmethod
    def parse(cls, document: Any, classes: int) -> "Calibration":
        """Read the object ``calibration``. Raises ``ValueError``, ``TypeError``."""
        if not isinstance(document, dict):
            raise TypeError("calibration must be an object")
        if unknown := document.keys() - {"slope", "intercept"}:
            raise ValueError(f"calibration has the unknown {sorted(unknown)}")
        slope: Any = document.get("slope")
        intercept = document.get("intercept")
        if not _is_number(slope) or not 0 < slope <= _LARGEST:
            raise ValueError(f"calibration.slope must be a number above 0, and {_LARGEST} at most")
        if not isinstance(intercept, list) or len(intercept) != classes:
            raise ValueError("calibration.intercept must have a number for each class")
        if not all(_is_number(each) and abs(each) <= _LARGEST for each in intercept):
            raise ValueError(f"calibration.intercept must be numbers of {_LARGEST} at most")
        return cls(float(slope), tuple(map(float, intercept)))


#: Largest slope and intercept, so that every probability is finite.
_LARGEST = 1000


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
