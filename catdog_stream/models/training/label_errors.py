"""Detection of pictures that are likely in the folder of the wrong class.

Confident learning (Northcutt et al., "Confident Learning: Estimating Uncertainty in Dataset
Labels", 2021): the mean probability of a class, over the pictures of its folder, is its threshold.
A picture in another folder whose likeliest class reaches its threshold likely belongs to it. All
probabilities are of heads that were not trained on the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catdog_stream.models.training.evaluation import Labels, Probabilities
from catdog_stream.models.training.labelled import LabelledFile

__all__ = ["LabelError", "likely_label_errors"]


@dataclass(frozen=True, slots=True)
class LabelError:
    """A picture that is likely in the wrong folder."""

    file: LabelledFile
    likeliest: int
    """Index of the class that it likely belongs to."""
    probability: float
    """Held-out probability of that class, 0 to 1."""
    of_label: float
    """Held-out probability of the class of its folder, 0 to 1."""


def likely_label_errors(
    files: Sequence[LabelledFile], labels: Labels, probabilities: Probabilities
) -> list[LabelError]:
    """Return the likely errors, those with the largest difference of the probabilities first.

    Args:
        files: the pictures.
        labels: index of the class of each picture's folder, [n]; every class occurs.
        probabilities: held-out probabilities, [n, classes].
    """
    rows = np.arange(len(labels))
    of_label, likeliest = probabilities[rows, labels], probabilities.argmax(axis=1)
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    thresholds = np.bincount(labels, of_label, len(counts)) / np.maximum(counts, 1)
    highest = probabilities[rows, likeliest]
    (wrong,) = np.nonzero((likeliest != labels) & (highest >= thresholds[likeliest]))
    order = np.argsort(of_label[wrong] - highest[wrong], kind="stable")
    return [
        LabelError(files[n], int(likeliest[n]), float(highest[n]), float(of_label[n]))
        for n in wrong[order]
    ]
