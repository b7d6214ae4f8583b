"""Comparison of LiteRT, which has weights of eight bits, with the trained network."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from catdog_stream.errors import StackError
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.training.evaluation import Probabilities
from catdog_stream.models.training.labelled import LabelledFile, read_batches

__all__ = ["Parity", "compare"]

#: Eight bits change probabilities by 0.01 on average, and a few verdicts that were close. A larger
#: difference means another network.
_LARGEST_MEAN, _LEAST_AGREEMENT = 0.1, 0.8


@dataclass(frozen=True, slots=True)
class Parity:
    """Difference of the verdicts of LiteRT and TensorFlow."""

    pictures: int
    largest: float
    """Largest difference of the probability of a class."""
    mean: float
    """Mean difference of the probability of a class."""
    agreement: float
    """Share of pictures with the same verdict."""

    @classmethod
    def of(cls, one: Probabilities, other: Probabilities) -> "Parity":
        """Compare the probabilities, [n, classes], of two engines on the same pictures."""
        apart = np.abs(one - other)
        return cls(
            pictures=len(one),
            largest=round(float(apart.max()), 6),
            mean=round(float(apart.mean()), 6),
            agreement=float(np.mean(one.argmax(axis=1) == other.argmax(axis=1))),
        )

    def check(self) -> None:
        """Raise ``StackError`` if the difference is so large that the networks differ."""
        if self.mean > _LARGEST_MEAN or self.agreement < _LEAST_AGREEMENT:
            raise StackError(
                f"LiteRT and TensorFlow agree on {self.agreement:.1%} of {self.pictures} pictures, "
                f"{self.mean:.3f} apart on average: the conversion has spoiled the network."
            )

    def as_json(self) -> dict[str, Any]:
        """Return the object ``parity`` of a manifest's ``quality``."""
        return asdict(self)


def compare(stack: ModelStack, reference: ModelStack, files: Sequence[LabelledFile]) -> Parity:
    """Classify ``files`` with a stack on LiteRT and with the same stack on TensorFlow."""
    one: list[list[float]] = []
    other: list[list[float]] = []
    for batch in read_batches(files, stack.preprocessing, threads=stack.threads):
        for answers, asked in ((one, stack), (other, reference)):
            answers += [list(v.scores.values()) for v in asked.classify(batch.pictures)]
    return Parity.of(np.array(one), np.array(other))
