"""A classifier that costs nothing."""

from collections.abc import Mapping, Sequence

import numpy as np

from catdog_stream.models.pictures import Picture
from catdog_stream.models.verdict import Verdict

__all__ = ["InstantClassifier"]

GREY: Picture = np.full((1, 1, 3), 128, np.uint8)


class InstantClassifier:
    """Gives every picture the same scores, without looking.

    Args:
        scores: class to its chance, summing to 1.
        version: its version; its name is "instant".
    """

    name, engine = "instant", "none"
    batch_size, on_gpu = 8, False

    def __init__(self, scores: Mapping[str, float], version: str = "1") -> None:
        self.version = version
        self.classes = tuple(scores)
        self._verdict = Verdict(scores, f"{self.name} {version}")

    def prepare(self, _data: bytes) -> Picture:
        """A grey pixel."""
        return GREY

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """The same, for each."""
        return [self._verdict] * len(pictures)

    def warm_up(self) -> None:
        """It is warm."""

    def close(self) -> None:
        """It holds nothing."""
