"""Base class of a Python classifier, and its adapter to the interface of a worker."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from catdog_stream.documents import convert
from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.models.checked_verdicts import SUM_TOLERANCE
from catdog_stream.models.classes import checked_classes
from catdog_stream.models.classifier import Prepared
from catdog_stream.models.pictures import PictureLimits, decode
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.reference import Reference
from catdog_stream.models.verdict import Verdict
from catdog_stream.models.whole_pictures import decode_whole

__all__ = ["AdaptedClassifier", "PictureClassifier"]

#: Largest tolerance that a classifier may declare.
MAX_TOLERANCE = 0.1


class PictureClassifier:
    """Base class of a classifier: a subclass needs ``classes`` and ``classify``.

    The other members have defaults. A subclass may set each of them for the class, or in its
    ``__init__``.
    """

    classes: Sequence[str] = ()
    """The names of the classes, in the order of the scores."""
    size: int | None = 224
    """Width and height of the pictures, in pixels. ``None``: PIL images of their own size."""
    longest_side: int = 1024
    """A PIL image whose longer side exceeds this number of pixels is made smaller."""
    output: Literal["probabilities", "logits"] = "probabilities"
    """The kind of the scores: numbers from 0 to 1 that sum to 1, or numbers for a softmax."""
    name: str = ""
    """The name, one word, as in the ``stack`` header; by default the name of the class."""
    version: str = "1"
    """The version, one word, as in the ``stack`` header."""
    engine: str = "python"
    """The name of the inference engine, one word, for the log."""
    batch_size: int = 8
    """The largest number of pictures in one call of ``classify``."""
    on_gpu: bool = False
    """True if ``classify`` computes on a GPU and leaves the CPU cores free."""
    thread_safe: bool = True
    """False: ``classify`` is called by one thread at a time."""
    tolerance: float = 1e-5
    """Maximum difference of a score of one picture between two batches, 0 to 0.1."""
    weight: float = 1.0
    """Weight of the votes, above 0."""
    reference: Reference | Mapping[str, Any] | None = None
    """Statistics of the verdicts on held-out pictures, as ``evaluate --json`` prints them."""

    def classify(self, batch: Any) -> Any:
        """Return the scores of each picture, an array-like of shape [n, classes].

        Args:
            batch: RGB, uint8, shape [n, size, size, 3]; a list of RGB images if ``size`` is
                ``None``. If ``prepare`` returns something other than arrays, a list of that.
        """
        raise NotImplementedError

    def prepare(self, picture: Any) -> Any:
        """Return a decoded picture as ``classify`` needs it: arrays of one shape, or anything.

        Called in several threads at a time.

        Args:
            picture: RGB, uint8, shape [size, size, 3]; an RGB image if ``size`` is ``None``.
        """
        return picture

    def warm_up(self) -> None:
        """Do one-time work; the worker then classifies a grey picture and a full batch of them."""

    def close(self) -> None:
        """Free threads and memory."""


class AdaptedClassifier:
    """``Classifier`` that decodes pictures for a ``PictureClassifier`` and makes its verdicts.

    Args:
        own: the classifier.
        limits: size limits of a picture.
        batch: number of pictures in one call, instead of the classifier's own.

    Raises:
        ValueError: a member of ``own`` has a value that cannot be used.
    """

    def __init__(
        self,
        own: PictureClassifier,
        *,
        limits: PictureLimits | None = None,
        batch: int | None = None,
    ) -> None:
        self._own = own
        self._limits = limits or PictureLimits()
        self._turn = nullcontext() if own.thread_safe else threading.Lock()
        self.name = own.name or type(own).__name__.lower()
        self.version, self.engine = own.version, own.engine
        self.classes = checked_classes(own.classes)
        self._softmax = Calibration.none(len(self.classes))
        self.batch_size = batch or own.batch_size
        self.on_gpu, self.weight, self.tolerance = own.on_gpu, own.weight, own.tolerance
        if not self.batch_size > 0:
            raise ValueError(f"batch_size is {own.batch_size}: it must be above 0")
        if own.output not in ("probabilities", "logits"):
            raise ValueError(f"output is {own.output!r}: set it to 'probabilities' or 'logits'")
        if not 0 <= self.tolerance <= MAX_TOLERANCE:
            raise ValueError(f"tolerance is {own.tolerance}: it must be from 0 to {MAX_TOLERANCE}")
        if not self.weight > 0:
            raise ValueError(f"weight is {own.weight}: it must be above 0")
        self.reference = own.reference
        if isinstance(own.reference, Mapping):
            self.reference = convert(own.reference, Reference)
        if isinstance(self.reference, Reference):
            self.reference.check(self.classes)

    def prepare(self, data: bytes) -> Prepared:
        """Decode one picture. Thread-safe. Raises ``RejectedRequest`` if the picture is invalid."""
        own = self._own
        if own.size is None:
            return own.prepare(decode_whole(data, own.longest_side, self._limits))
        return own.prepare(decode(data, Preprocessing(own.size), self._limits))

    def classify(self, pictures: Sequence[Prepared]) -> list[Verdict]:
        """Return a verdict for each prepared picture, in the order of the pictures.

        A score differs by at most ``tolerance`` from the score in another batch.
        """
        stack = f"{self.name} {self.version}"
        verdicts: list[Verdict] = []
        for start in range(0, len(pictures), self.batch_size):
            batch = pictures[start : start + self.batch_size]
            for row in self._scores(batch).tolist():
                verdicts.append(Verdict(dict(zip(self.classes, row, strict=True)), stack))
        return verdicts

    def _scores(self, pictures: Sequence[Prepared]) -> npt.NDArray[np.float64]:
        arrays = all(isinstance(picture, np.ndarray) for picture in pictures)
        batch = np.stack(list(pictures)) if arrays else list(pictures)
        with self._turn:
            answer = self._own.classify(batch)
        return self._probabilities(answer, len(pictures))

    def _probabilities(self, answer: object, pictures: int) -> npt.NDArray[np.float64]:
        wanted = (pictures, len(self.classes))
        try:
            scores = np.asarray(answer, np.float64)
        except (TypeError, ValueError) as error:
            raise RejectedRequest(
                Reason.BAD_VERDICT,
                f"The model gave {type(answer).__name__} instead of numbers of shape {wanted}.",
            ) from error
        if scores.shape != wanted:
            raise RejectedRequest(
                Reason.BAD_VERDICT,
                f"The model gave scores of shape {scores.shape} instead of {wanted}.",
            )
        if self._own.output == "logits":
            return self._softmax.probabilities(scores)
        # Numbers of 32 or 16 bits do not sum to 1 exactly. A larger difference is refused.
        sums = scores.sum(axis=1, keepdims=True)
        probabilities: npt.NDArray[np.float64] = scores / np.where(
            abs(sums - 1) <= SUM_TOLERANCE, sums, 1
        )
        return probabilities

    def warm_up(self) -> None:
        """Classify a grey picture alone, and then a full batch."""
        own = self._own
        own.warm_up()
        grey: Any = Image.new("RGB", (own.size or own.longest_side,) * 2, (128, 128, 128))
        prepared = own.prepare(grey if own.size is None else np.asarray(grey))
        for count in dict.fromkeys((1, self.batch_size)):
            self.classify([prepared] * count)

    def close(self) -> None:
        """Free threads and memory of the classifier."""
        self._own.close()
