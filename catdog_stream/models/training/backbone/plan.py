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
    turned: float = 0.5
    """Share of the views that are turned by 90, 180 or 270 degrees."""
    corrupted: float = 0.5
    """Share of the views that have one of the corruptions."""
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
    deployments = [np.random.default_rng((*seed, n)).permutation(pictures) for n in range(epochs)]
    order = np.concatenate(deployments)
    return [order[step * batch : (step + 1) * batch] for step in range(first, steps)]


#: Views that teach a network a few classes; many pictures are seen four times each, at least.
_VIEWS, _FEWEST_EPOCHS, _MOST_EPOCHS = 2400, 4.0, 30.0
#: Of them, those that teach the upper part alone.
_SHARE_OF_UPPER = 0.25
_UPPER_RATE, _RATE = 5e-4, 2e-4
#: Pixels that are enough to learn from: a network that serves larger pictures sees the same
#: things as large as in the random parts of training (Touvron et al. 2019).
_LARGEST_VIEW = 224


def automatic(
    pictures: int,
    size: int,
    *,
    epochs: float | None = None,
    upper: bool = False,
    seed: int = 0,
) -> FineTuning:
    """A plan for so many pictures and a stack that takes pictures of ``size``.

    ``epochs`` is how often each of them is seen; by default, the fewer there are the more often.
    With ``upper`` the lower layers stay as they are throughout.
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
