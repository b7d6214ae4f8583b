"""A scikit-learn pipeline as the model. It learns from crops of the sample pictures.

Run in this folder::

    pip install scikit-learn
    CATDOG_CLASSIFIER=scikit_learn:CatsAndDogs catdog-stream up --samples
"""

import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from catdog_stream.classifiers import PictureClassifier
from catdog_stream.models.stacks.locate import samples


def colours(batch):
    """Return a histogram of 4 x 4 x 4 colours, [n, 64], of pictures, [n, height, width, 3]."""
    bins = batch.reshape(len(batch), -1, 3) // 64 @ np.array([16, 4, 1])
    return np.array([np.bincount(row, minlength=64) / row.size for row in bins])


def crops(file, size, count=50):
    """Return random crops of a picture, [count, size, size, 3]."""
    random, image = np.random.default_rng(0), Image.open(file).convert("RGB")
    corners = random.integers(0, [side // 2 for side in image.size], (count, 2)).tolist()
    half = min(image.size) // 2
    parts = [image.crop((x, y, x + half, y + half)).resize((size, size)) for x, y in corners]
    return np.array([np.asarray(part) for part in parts])


class CatsAndDogs(PictureClassifier):
    """Cat or dog, by the colours."""

    classes = ("cat", "dog")
    size = 64

    def __init__(self):
        files = sorted(samples().glob("*-*"))
        pictures = np.concatenate([crops(file, self.size) for file in files])
        labels = np.repeat([file.name.split("-")[0] for file in files], len(pictures) // len(files))
        steps = FunctionTransformer(colours), StandardScaler(), LogisticRegression()
        self.pipeline = make_pipeline(*steps).fit(pictures, labels)

    def classify(self, batch):
        """Return the probabilities, [n, 2], in the order of the names of the classes."""
        return self.pipeline.predict_proba(batch)
