"""Interface of the two ways to train a head."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from catdog_stream.models.stacks.calibration import Logits
from catdog_stream.models.stacks.writing import HEAD_FILE, LINEAR_HEAD_FILE
from catdog_stream.models.training.head.features import Seen
from catdog_stream.models.training.head.options import HeadKind

__all__ = [
    "Arrays",
    "HeldOut",
    "Learner",
    "Remember",
    "folds_without",
    "forget",
    "write_head",
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


class Learner(Protocol):
    """A way to train heads."""

    @property
    def kind(self) -> HeadKind:
        """The kind of the heads."""

    def hold_out(self, seen: Seen, folds: Sequence[int], remember: Remember) -> HeldOut:
        """Train a head for each fold, on the other folds, and classify the fold's pictures.

        Args:
            seen: the features of the pictures.
            folds: the fold of each picture.
            remember: keeps the result of each fold.
        """

    def default_setting(self, seen: Seen) -> float:
        """Return a setting for a training without held-out pictures."""

    def write(self, seen: Seen, setting: float, directory: Path) -> None:
        """Train a head on all pictures, and write its file into ``directory``."""

    def record(self, setting: float) -> dict[str, Any]:
        """Return the parameters of the training for a manifest."""


def folds_without(folds: Sequence[int]) -> list[tuple[int, npt.NDArray[np.bool_]]]:
    """Return the number of each fold, with True for each picture in the fold."""
    fold_of = np.asarray(folds)
    return [(fold, fold_of == fold) for fold in sorted(set(folds))]


def write_head(learner: Learner, seen: Seen, setting: float, directory: Path) -> None:
    """Train a head on all pictures, and write it into ``directory`` in place of another one."""
    for file in (HEAD_FILE, LINEAR_HEAD_FILE):
        (directory / file).unlink(missing_ok=True)
    learner.write(seen, setting, directory)
