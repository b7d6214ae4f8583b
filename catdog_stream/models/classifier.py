"""The interface between a worker and the model that classifies its pictures.

``app.inference.load`` is the function that creates a classifier from the settings.
``catdog_stream.testing.check_classifier`` checks that a classifier fulfils this interface.
"""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from catdog_stream.models.verdict import Verdict

__all__ = ["Classifier", "Prepared"]

Prepared: TypeAlias = Any
"""A picture as a classifier prepared it, opaque to everything but that classifier.

For a stack, the pixels. For a jury, a tuple with the prepared picture of each member."""


class Classifier(Protocol):
    """The members of a model that an agent uses; a class that has them can replace the model."""

    @property
    def name(self) -> str:
        """The name, as in the ``stack`` header."""

    @property
    def version(self) -> str:
        """The version, as in the ``stack`` header."""

    @property
    def engine(self) -> str:
        """The name of the inference engine, for the log."""

    @property
    def classes(self) -> Sequence[str]:
        """The classes of the verdicts, in their order."""

    @property
    def batch_size(self) -> int:
        """The number of pictures that fills one call of ``classify``; more gain no throughput."""

    @property
    def on_gpu(self) -> bool:
        """True if the classifier computes on a GPU and leaves the CPU cores free."""

    def prepare(self, data: bytes) -> Prepared:
        """Decode one picture. Thread-safe. Raises ``RejectedRequest`` if the picture is invalid."""

    def classify(self, pictures: Sequence[Prepared]) -> list[Verdict]:
        """Return a verdict for each prepared picture, in the order of the pictures.

        Each verdict has the classifier's own name and version. A verdict has the same bits
        whatever else is in the batch, since a request may be delivered again. Blocks while it
        computes. Thread-safe.

        The worker rejects pictures with an invalid verdict (NaN, other classes, too few verdicts)
        as ``bad_verdict``, and pictures for which this method raises an exception as
        ``internal_error``.
        """

    def warm_up(self) -> None:
        """Do the one-time work now that would otherwise delay the first picture."""

    def close(self) -> None:
        """Free threads and memory."""
