"""A worker whose model answers at once: what is left is the cost of everything around it."""

from collections.abc import Sequence

import numpy as np

from catdog_stream import classifying
from catdog_stream.app import main
from catdog_stream.models.pictures import Picture
from catdog_stream.models.stack import Verdict
from catdog_stream.settings import Settings

__all__ = ["InstantStack"]

CAT = Verdict(cat=1.0, dog=0.0)
GREY: Picture = np.full((1, 1, 3), 128, np.uint8)


class InstantStack:
    """Says that everything is a cat, without looking."""

    name, version, engine = "instant", "1", "none"

    def prepare(self, _data: bytes) -> Picture:
        """A grey pixel."""
        return GREY

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """Cats."""
        return [CAT] * len(pictures)

    def warm_up(self) -> None:
        """It is warm."""

    def close(self) -> None:
        """It holds nothing."""


def load_instant(_settings: Settings) -> InstantStack:
    """The instant stack, whatever the settings say."""
    return InstantStack()


if __name__ == "__main__":
    classifying.load_stack = load_instant  # type: ignore[assignment]
    main()
