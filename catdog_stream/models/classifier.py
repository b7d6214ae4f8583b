"""The seam between a worker and whatever looks at its pictures.

``app.classifying.load`` makes one of the settings; ``catdog_stream.testing.check_classifier`` tells
whether it keeps its promises.
"""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from catdog_stream.models.verdict import Verdict

__all__ = ["Classifier", "Prepared"]

Prepared: TypeAlias = Any
"""What a classifier makes of a picture's bytes, and nobody but that classifier looks into: the
pixels of a stack, one of these for each member where several vote."""


class Classifier(Protocol):
    """What an agent needs of a model; any other one with these members can take its place."""

    @property
    def name(self) -> str:
        """Its name, as in the ``stack`` header."""

    @property
    def version(self) -> str:
        """Its version, as in the ``stack`` header."""

    @property
    def engine(self) -> str:
        """What computes, for the log."""

    @property
    def classes(self) -> Sequence[str]:
        """The classes of its verdicts, in their order."""

    @property
    def batch_size(self) -> int:
        """Pictures in one call of ``classify`` that keep it busy; more gain nothing."""

    @property
    def on_gpu(self) -> bool:
        """Whether it leaves the machine's cores to others."""

    def prepare(self, data: bytes) -> Prepared:
        """Decode one picture. Thread-safe. Raises ``RejectedRequest`` if the picture is bad."""

    def classify(self, pictures: Sequence[Prepared]) -> list[Verdict]:
        """A verdict for each prepared picture, in their order, with its own name and version in it.

        The same bits whatever else is in the batch, since a request may be delivered again.
        Blocks while it computes; thread-safe. What is no verdict (NaN, other classes, too few)
        rejects its picture as ``bad_verdict``, what it raises as ``internal_error``.
        """

    def warm_up(self) -> None:
        """Pay for whatever the first picture would otherwise pay for."""

    def close(self) -> None:
        """Free threads and memory."""
