"""Classifier that takes no time."""

from collections.abc import Mapping, Sequence

import numpy as np

from catdog_stream.models.pictures import Picture
from catdog_stream.models.verdict import Verdict

__all__ = ["InstantClassifier"]

GREY: Picture = np.full((1, 1, 3), 128, np.uint8)


class InstantClassifier:
    """Classifier that returns the same scores for every picture.

    Args:
        scores: class to its probability; they sum to 1.
        version: its version; its name is "instant".
    """

    name, engine = "instant", "none"
    batch_size, on_gpu = 8, False

    def __init__(self, scores: Mapping[str, float], version: str = "1") -> None:
        self.version = version
        self.classes = tuple(scores)
        self._verdict = Verdict(scores, f"{self.name} {version}")

    def prepare(self, _data: bytes) -> Picture:
        """Return a grey pixel."""
        return GREY

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """Return the same verdict for each picture."""
        return [self._verdict] * len(pictures)

    def warm_up(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
