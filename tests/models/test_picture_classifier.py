"""Tests of the base class of a Python classifier."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from catdog_stream.classifiers import PictureClassifier
from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.models.contract import THREADS
from catdog_stream.models.picture_classifier import AdaptedClassifier
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.stacks.reference import Histogram, Reference
from catdog_stream.testing import check_classifier
from tests.support.pictures import sample_files
from tests.support.shade import grey


class Brightness(PictureClassifier):
    classes: Sequence[str] = ("dark", "light")
    size: int | None = 8

    def classify(self, batch: Any) -> Any:
        light = np.array([float(np.asarray(picture).mean()) for picture in batch]) / 255
        return self.scores(light)

    def scores(self, light: npt.NDArray[np.float64]) -> Any:
        return np.stack([1 - light, light], axis=1)


class Images(Brightness):
    size, longest_side = None, 64


class Logits(Brightness):
    output = "logits"

    def scores(self, light: npt.NDArray[np.float64]) -> Any:
        return [[float(-value), float(value)] for value in light]


class Tensors(Brightness):
    def prepare(self, picture: Any) -> Any:
        return {"pixels": picture.transpose(2, 0, 1).astype(np.float32)}

    def classify(self, batch: Any) -> Any:
        return super().classify([each["pixels"] for each in batch])


class OneAtATime(Brightness):
    """Classifier that is not thread-safe: it keeps the batch in an attribute."""

    thread_safe = False

    def classify(self, batch: Any) -> Any:
        self.batch = batch
        threading.Event().wait(0.001)
        return super().classify(self.batch)


class Rounded(Brightness):
    """Classifier whose scores depend on the batch a little."""

    tolerance = 0.01

    def classify(self, batch: Any) -> Any:
        light = super().classify(batch)[:, 1] / 1.01 + 0.004 * (len(batch) > 1)
        return self.scores(light)


@pytest.mark.parametrize("kind", [Brightness, Images, Logits, Tensors, OneAtATime, Rounded])
def test_one_keeps_the_contract(kind: type[Brightness]) -> None:
    check_classifier(kind(), [file.read_bytes() for file in sample_files()])


class Threads(Brightness):
    """Classifier of which every thread classifies the batch that came last."""

    def __init__(self) -> None:
        self._all_threads = threading.Barrier(THREADS, timeout=10)

    def classify(self, batch: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            self.batch = batch
            self._all_threads.wait()
            batch = self.batch
            self._all_threads.wait()
        return super().classify(batch)


class NoClasses(Brightness):
    classes = ()


class Nan(Brightness):
    def scores(self, light: npt.NDArray[np.float64]) -> Any:
        return super().scores(light * np.nan)


class Sigmoids(Brightness):
    def scores(self, light: npt.NDArray[np.float64]) -> Any:
        return super().scores(light) * 1.4


class OneColumn(Brightness):
    def scores(self, light: npt.NDArray[np.float64]) -> Any:
        return light


class Texts(Brightness):
    def scores(self, light: npt.NDArray[np.float64]) -> Any:
        return ["light"] * len(light)


class Fails(Brightness):
    def scores(self, _light: npt.NDArray[np.float64]) -> Any:
        raise KeyError("weights")


class Strict(Rounded):
    tolerance = 1e-3


class Loose(Brightness):
    tolerance = 0.5


class Referred(Brightness):
    reference = Reference({"dark": 1}, Histogram(1.0, (), (1,)))


class Unspelled(Brightness):
    output = "logit"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (Threads, "classify is not thread-safe.*thread_safe = False"),
        (NoClasses, "two classes or more"),
        (Nan, "a score is NaN"),
        (Sigmoids, "scores must be from 0 to 1 and sum to 1, .* in sum 1.4 .*output = 'logits'"),
        (OneColumn, r"scores of shape \(1,\) instead of \(1, 2\)"),
        (Texts, r"list instead of numbers of shape \(1, 2\)"),
        (Fails, r"warm_up raises KeyError: 'weights' \(.*test_picture_classifier\.py, line \d+\)"),
        (Strict, "a score differs by 0.004, and the tolerance is 0.001"),
        (Loose, "tolerance is 0.5: it must be from 0 to 0.1"),
        (Referred, "reference.verdicts must have each class"),
        (Unspelled, "output is 'logit'"),
        (PictureClassifier, "two classes or more"),
    ],
)
def test_one_that_breaks_the_contract_is_described(
    kind: type[PictureClassifier], complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_classifier(kind(), [grey(10), grey(200)])


def test_the_limits_of_the_worker_apply() -> None:
    for kind in (Brightness, Images):
        small = AdaptedClassifier(kind(), limits=PictureLimits(max_pixels=255))
        with pytest.raises(RejectedRequest) as caught:
            small.prepare(grey(0))
        assert caught.value.reason == Reason.TOO_MANY_PIXELS
        short = AdaptedClassifier(kind(), limits=PictureLimits(max_bytes=20))
        with pytest.raises(RejectedRequest) as caught:
            short.prepare(grey(0))
        assert caught.value.reason == Reason.TOO_LARGE


def test_an_image_keeps_its_proportions_and_is_not_larger_than_needed() -> None:
    (wide,) = [file for file in sample_files() if file.name == "cat-chelsea.png"]
    image = AdaptedClassifier(Images()).prepare(wide.read_bytes())
    assert isinstance(image, Image.Image)
    assert (image.mode, max(image.size)) == ("RGB", 64)
    assert min(image.size) < 64


def test_the_name_is_that_of_the_class_unless_it_has_another() -> None:
    classifier = AdaptedClassifier(Brightness(), batch=3)
    assert (classifier.name, classifier.version, classifier.batch_size) == ("brightness", "1", 3)
    named = Brightness()
    named.name = "light"
    assert AdaptedClassifier(named).name == "light"
