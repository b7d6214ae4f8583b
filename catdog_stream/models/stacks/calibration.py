"""What makes a head's chances mean what they say: of pictures with 90 %, nine in ten are right.

The section ``calibration`` of a manifest::

    {"slope": 0.87, "intercept": [0.0, -0.12]}

The head's log-odds are multiplied by ``slope`` (temperature scaling) and ``intercept`` is added,
a number for each class (Platt, "Probabilistic Outputs for Support Vector Machines", 1999, for two
classes). ``training/calibrating.py`` finds both.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Calibration", "Logits"]

Logits = npt.NDArray[np.float64]
"""Logarithms of the chances, up to a number that they share, [n, classes]."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Chances from logits."""

    slope: float
    """Above 0; below 1, where the head is too sure."""
    intercept: tuple[float, ...]
    """For each class."""

    @classmethod
    def none(cls, classes: int) -> "Calibration":
        """Changes nothing."""
        return cls(1.0, (0.0,) * classes)

    def chances(self, logits: Logits) -> npt.NDArray[np.float64]:
        """The chances, 0 to 1, [n, classes]."""
        scaled = self.slope * logits + np.array(self.intercept)
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        chances: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return chances

    def as_json(self) -> dict[str, Any]:
        """The object ``calibration`` of a manifest."""
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


#: So that no chance is infinite, or none at all.
_LARGEST = 1000


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
