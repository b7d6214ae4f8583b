"""Python classifiers of dark and light pictures, to run beside one another."""

import io
from typing import Any

import numpy as np
from PIL import Image

from catdog_stream.classifiers import PictureClassifier


class First(PictureClassifier):
    """Dark or light, by the mean; its reference has as many dark pictures as light ones."""

    name = "first"
    classes = ("dark", "light")
    size = 8
    reference = {  # noqa: RUF012 - as a user writes it
        "verdicts": {"dark": 50, "light": 50},
        "confidence": {"mean": 0.98, "edges": [0.9], "counts": [10, 90]},
    }

    def classify(self, batch: Any) -> Any:
        """Return the scores, [n, 2], of RGB pictures, [n, 8, 8, 3]."""
        light = np.asarray(batch).mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - light, light], axis=1)


class Second(First):
    """The same."""

    name = "second"


class Contrary(First):
    """The opposite."""

    name = "contrary"

    def classify(self, batch: Any) -> Any:
        """Return the scores with the classes exchanged."""
        return super().classify(batch)[:, ::-1]


class Lenient(First):
    """The same, but the lightest three quarters of all greys are light, not only the half."""

    name = "lenient"

    def classify(self, batch: Any) -> Any:
        """Return the scores, dark at a quarter of the light."""
        light = super().classify(batch)[:, 1] ** 0.5
        return np.stack([1 - light, light], axis=1)


def grey(value: int) -> bytes:
    """Return the PNG file of a small grey picture; ``value`` is 0 to 255."""
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (value, value, value)).save(file, "PNG")
    return file.getvalue()
