"""Plan of a fine-tuning: its phases, options and learning rates. Does not import TensorFlow."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FineTuning", "Phase", "automatic", "batches", "rate_at"]


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of the training, with constant options."""

    epochs: float
    """Number of passes over the pictures; a fraction of an epoch covers a part of them."""
    size: int
    """Width and height of the views, in pixels."""
    rate: float
    """Highest learning rate."""
    upper: bool = False
    """True if the lower layers stay frozen. Their features, such as edges and textures, need no
    training, and the first gradients of a new classifier, which are noise, would damage them."""


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Options of a fine-tuning. The shipped stacks were trained with the defaults."""

    phases: tuple[Phase, ...]
    batch: int = 32
    """Number of views in one step."""
    smoothing: float = 0.05
    """Share of each label that is spread over all classes (Szegedy et al. 2015, section 7)."""
    decay: float = 0.998
    """Decay of the running average of the weights in a step (Polyak & Juditsky 1992)."""
    weight_decay: float = 0.02
    """Weight decay of AdamW (Loshchilov & Hutter 2017)."""
    smallest_crop: float = 0.4
    """Smallest share of a picture's area in a view."""
    turned: float = 0.5
    """Share of the views that are turned by 90, 180 or 270 degrees."""
    corrupted: float = 0.5
    """Share of the views that have one of the corruptions."""
    imitation: float = 2.0
    """Weight of the cost of differing from the teacher's features, relative to the
    cross-entropy."""
    seed: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the object ``fine_tuning`` of a manifest's ``training``."""
        return asdict(self)

    def steps(self, phase: int, pictures: int) -> int:
        """Return the number of steps of a phase, at least one."""
        return max(1, round(self.phases[phase].epochs * pictures / self.batch))


def rate_at(step: int, steps: int, highest: float) -> float:
    """Return the learning rate at ``step`` of ``steps``: linear warm-up for 5 %, then a cosine."""
    warm_up = max(1, steps // 20)
    if step < warm_up:
        return highest * (step + 1) / warm_up
    return highest * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def batches(
    pictures: int, batch: int, steps: int, seed: Sequence[int], *, first: int = 0
) -> Sequence[npt.NDArray[np.intp]]:
    """Return the indices of the pictures in each step from ``first``.

    Each epoch has its own random order. The same seed gives the same steps for any ``first``.
    """
    epochs = math.ceil(steps * batch / pictures)
    orders = [np.random.default_rng((*seed, n)).permutation(pictures) for n in range(epochs)]
    order = np.concatenate(orders)
    return [order[step * batch : (step + 1) * batch] for step in range(first, steps)]


#: Number of views to learn a few classes, and the smallest and largest number of epochs.
_VIEWS, _FEWEST_EPOCHS, _MOST_EPOCHS = 2400, 4.0, 30.0
#: Share of the epochs that train the upper part alone.
_SHARE_OF_UPPER = 0.25
_UPPER_RATE, _RATE = 5e-4, 2e-4
#: Largest side of the views in training, in pixels. Random crops enlarge objects, so that a network
#: with larger inputs in production sees objects of the same size (Touvron et al. 2019).
_LARGEST_VIEW = 224


def automatic(
    pictures: int,
    size: int,
    *,
    epochs: float | None = None,
    upper: bool = False,
    seed: int = 0,
) -> FineTuning:
    """Return a plan for a number of pictures.

    Args:
        pictures: number of training pictures.
        size: width and height of the stack's input, in pixels.
        epochs: number of passes over the pictures; by default more for fewer pictures.
        upper: keep the lower layers frozen in the whole training.
        seed: seed of the training.
    """
    total = epochs or min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, _VIEWS / pictures))
    side = min(size, _LARGEST_VIEW)
    phases: tuple[Phase, ...] = (
        Phase(epochs=total * _SHARE_OF_UPPER, size=side, rate=_UPPER_RATE, upper=True),
        Phase(epochs=total * (1 - _SHARE_OF_UPPER), size=side, rate=_RATE),
    )
    if upper:
        phases = (Phase(epochs=total, size=side, rate=_UPPER_RATE, upper=True),)
    return FineTuning(
        phases=phases,
        batch=min(32, max(16, pictures // 8)),
        seed=seed,
    )
