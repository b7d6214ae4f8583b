"""Whether LiteRT, with weights of eight bits, says what the network said that was trained."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from catdog_stream.errors import StackError
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.training.evaluation import Chances
from catdog_stream.models.training.labelled import LabelledFile, read_batches

__all__ = ["Parity", "compare"]

#: Eight bits cost a hundredth on average, and a few verdicts that were close. More than this is
#: another network.
_LARGEST_MEAN, _LEAST_AGREEMENT = 0.1, 0.8


@dataclass(frozen=True, slots=True)
class Parity:
    """How far LiteRT and TensorFlow are apart."""

    pictures: int
    largest: float
    """Difference in the chance of a class."""
    mean: float
    agreement: float
    """Share of pictures with the same verdict."""

    @classmethod
    def of(cls, one: Chances, other: Chances) -> "Parity":
        apart = np.abs(one - other)
        return cls(
            pictures=len(one),
            largest=round(float(apart.max()), 6),
            mean=round(float(apart.mean()), 6),
            agreement=float(np.mean(one.argmax(axis=1) == other.argmax(axis=1))),
        )

    def check(self) -> None:
        """Raise ``StackError`` if the two are different networks."""
        if self.mean > _LARGEST_MEAN or self.agreement < _LEAST_AGREEMENT:
            raise StackError(
                f"LiteRT and TensorFlow agree on {self.agreement:.1%} of {self.pictures} pictures, "
                f"{self.mean:.3f} apart on average: the conversion has spoiled the network."
            )

    def as_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def compare(stack: ModelStack, reference: ModelStack, files: Sequence[LabelledFile]) -> Parity:
    """Show ``files`` to a stack run by LiteRT, and to the same one run by TensorFlow."""
    one: list[list[float]] = []
    other: list[list[float]] = []
    for batch in read_batches(files, stack.preprocessing, threads=stack.threads):
        for answers, asked in ((one, stack), (other, reference)):
            answers += [list(v.scores.values()) for v in asked.classify(batch.pictures)]
    return Parity.of(np.array(one), np.array(other))
