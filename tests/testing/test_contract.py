"""Tests of the contract of every classifier, and of classifiers that break it."""

import io
import threading
from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
import pytest
from PIL import Image

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.pictures import Picture
from catdog_stream.models.stacks.loading import Engine
from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.verdict import Verdict
from catdog_stream.testing import InstantClassifier, check_classifier
from tests.support.hanging_worker import HangingStack
from tests.support.pictures import sample_files


def files() -> list[bytes]:
    return [file.read_bytes() for file in sample_files()]


def real(engine: Engine) -> ModelStack:
    return ModelStack.load(default_stack(), engine=engine, threads=2, batch=2)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: real("litert"), id="litert"),
        pytest.param(
            lambda: real("tensorflow"), id="tensorflow", marks=[pytest.mark.slow, pytest.mark.long]
        ),
        pytest.param(lambda: HangingStack(real("litert")), id="hanging"),
        pytest.param(lambda: InstantClassifier({"a": 0.25, "b": 0.75}), id="instant"),
        pytest.param(lambda: Shade(), id="shade"),
    ],
)
def test_a_classifier_keeps_the_contract(make: Callable[[], Classifier]) -> None:
    check_classifier(make(), files())


class Shade:
    """Classifier by the mean of a picture, dark or light; the broken ones derive from it."""

    name, version, engine = "shade", "1", "numpy"
    classes: Sequence[str] = ("dark", "light")
    batch_size, on_gpu = 3, False

    def prepare(self, data: bytes) -> Picture:
        try:
            return self.pixels(data)
        except OSError as error:
            raise RejectedRequest(Reason.NOT_AN_IMAGE, "Pillow reads no picture.") from error

    def pixels(self, data: bytes) -> Picture:
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB").resize((4, 4)))

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        return [self.verdict(float(picture.mean()) / 255) for picture in pictures]

    def verdict(self, light: float) -> Verdict:
        return Verdict({"dark": 1 - light, "light": light}, "shade 1")

    def warm_up(self) -> None:
        """Do nothing: the classifier is warm."""

    def close(self) -> None:
        """Do nothing: the classifier has no resources."""


class OneClass(Shade):
    classes = ("dark",)


class NoName(Shade):
    name = ""


class ReservedName(Shade):
    classes = ("dark", "verdict")


class SpacedName(Shade):
    classes = ("dark", " light")


class LongName(Shade):
    classes = ("dark", "light" * 80)


class FailsOnDamaged(Shade):
    def prepare(self, data: bytes) -> Picture:
        return self.pixels(data)


class OutOfOrder(Shade):
    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        return sorted(super().classify(pictures), key=lambda verdict: verdict.scores["light"])


class ByTheBatch(Shade):
    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        noise = 1e-3 * len(pictures)
        return [self.verdict(float(picture.mean()) / 256 + noise) for picture in pictures]


class AsAnother(Shade):
    def verdict(self, light: float) -> Verdict:
        return Verdict({"dark": 1 - light, "light": light}, "shade 2")


class MoreThanOne(Shade):
    def verdict(self, light: float) -> Verdict:
        return Verdict({"dark": 1.0, "light": light}, "shade 1")


class NotRepeatable(Shade):
    def __init__(self) -> None:
        self._numbers = count()
        self._lock = threading.Lock()

    def prepare(self, data: bytes) -> Picture:
        with self._lock:
            return (super().prepare(data) // 2 + next(self._numbers)).astype(np.uint8)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (OneClass, "two classes"),
        (ReservedName, "'verdict' cannot be a class"),
        (SpacedName, "' light' cannot be a class"),
        (LongName, "cannot be a class: it must have 1 to 64"),
        (FailsOnDamaged, "for a damaged picture: raise RejectedRequest"),
        (NoName, "not empty"),
        (OutOfOrder, "out of order|rest of the batch"),
        (ByTheBatch, "rest of the batch"),
        (AsAnother, "another name or version"),
        (MoreThanOne, "sum to 1"),
        (NotRepeatable, "repeatable"),
    ],
)
def test_one_that_breaks_it_is_told_so(broken: type[Shade], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_classifier(broken(), files())
