import numpy as np

from catdog_stream.classifiers import PictureClassifier


class Brightness(PictureClassifier):
    """Dark or light, by the mean of a picture."""

    classes = ("dark", "light")
    size = 32

    def classify(self, batch):
        """Return the scores of dark and light, [n, 2], for RGB pictures, [n, 32, 32, 3]."""
        light = batch.mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - light, light], axis=1)
