"""What a fine-tuning is made of, and at which rate it learns when. No TensorFlow in here."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FineTuning", "Phase", "automatic", "batches", "rate_at"]


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the training that goes on in one way."""

    epochs: float
    """How often each picture is seen; a part of an epoch sees a part of them."""
    size: int
    """Width and height of the views, in pixels."""
    rate: float
    """The highest rate of learning."""
    upper: bool = False
    """Whether the lower layers stay as they are: their edges and textures need no new learning,
    and the gradient of a new classifier on top, which is noise at first, would spoil them."""


@dataclass(frozen=True, slots=True)
class FineTuning:
    """How a network is trained. The defaults are those of the stacks that ship."""

    phases: tuple[Phase, ...]
    batch: int = 32
    """Views in one step."""
    smoothing: float = 0.05
    """Share of each label that is spread over all classes (Szegedy et al. 2015, section 7)."""
    decay: float = 0.998
    """What the running average of the weights keeps in a step (Polyak & Juditsky 1992)."""
    weight_decay: float = 0.02
    """As of AdamW (Loshchilov & Hutter 2017)."""
    smallest_crop: float = 0.4
    """Smallest share of a picture's area in a view."""
    imitation: float = 2.0
    """What differing from the teacher's features costs, beside a wrong class, if there is one."""
    seed: int = 0

    def as_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)

    def steps(self, phase: int, pictures: int) -> int:
        """Steps of a phase, at least one."""
        return max(1, round(self.phases[phase].epochs * pictures / self.batch))


def rate_at(step: int, steps: int, highest: float) -> float:
    """The rate at ``step`` of ``steps``: up a straight line for a twentieth, down as a cosine."""
    warm_up = max(1, steps // 20)
    if step < warm_up:
        return highest * (step + 1) / warm_up
    return highest * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def batches(
    pictures: int, batch: int, steps: int, seed: Sequence[int], *, first: int = 0
) -> Sequence[npt.NDArray[np.intp]]:
    """The numbers of the pictures in each step from ``first`` on; each epoch has its own order.

    The same for the same seed, wherever it begins.
    """
    epochs = math.ceil(steps * batch / pictures)
    orders = [np.random.default_rng((*seed, n)).permutation(pictures) for n in range(epochs)]
    order = np.concatenate(orders)
    return [order[step * batch : (step + 1) * batch] for step in range(first, steps)]


def automatic(
    pictures: int, size: int, *, epochs: float | None = None, seed: int = 0
) -> FineTuning:
    """A plan for so many pictures, ``size`` pixels wide when the stack serves.

    Few pictures are seen often, many less so: two thousand views teach a network three classes, and
    beyond a hundred thousand little is gained. ``epochs`` is how often, if not that.
    """
    total = epochs or min(40.0, max(4.0, _VIEWS / pictures))
    return FineTuning(
        phases=(
            Phase(epochs=total * _SHARE_OF_UPPER, size=size, rate=_UPPER_RATE, upper=True),
            Phase(epochs=total * (1 - _SHARE_OF_UPPER), size=size, rate=_RATE),
        ),
        batch=min(32, max(8, pictures // 8)),
        seed=seed,
    )


_VIEWS = 4000
_SHARE_OF_UPPER = 0.25
_UPPER_RATE, _RATE = 5e-4, 2e-4
