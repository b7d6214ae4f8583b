"""Results of heads on pictures that they were not trained on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from catdog_stream.models.stacks.calibration import Logits

__all__ = [
    "Arrays",
    "HeldOut",
    "Remember",
    "folds_without",
    "forget",
]

Arrays = Mapping[str, npt.NDArray[Any]]
Remember = Callable[[str, Callable[[], Arrays]], Arrays]
"""Returns the arrays that were stored under a name, or computes and stores them. Thread-safe."""


def forget(_: str, compute: Callable[[], Arrays]) -> Arrays:
    """Compute the arrays and store nothing: ``Remember`` for a training that does not resume."""
    return compute()


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The results of heads on pictures that they were not trained on."""

    setting: float
    """Best number of rounds of trees, or best strength of the L2 penalty."""
    logits: Logits
    """Logits of each whole picture, float64 [pictures, classes]."""


def folds_without(folds: Sequence[int]) -> list[tuple[int, npt.NDArray[np.bool_]]]:
    """Return the number of each fold, with True for each picture in the fold."""
    fold_of = np.asarray(folds)
    return [(fold, fold_of == fold) for fold in sorted(set(folds))]
