"""The out-of-distribution (OOD) score: how similar a picture is to the training pictures.

Features are divided by their length. Each class is modelled as a normal distribution with its own
mean and a covariance that all classes share (Lee et al., "A Simple Unified Framework for Detecting
Out-of-Distribution Samples and Adversarial Attacks", 2018; division by the length as in Müller and
Hein, "Mahalanobis++", 2025). The model keeps the directions of the largest variances, and assumes
one variance for all other directions (Tipping and Bishop, "Probabilistic Principal Component
Analysis", 1999), which reduces the file to 0.5 MB. A picture that is far from every mean is out of
distribution. ``docs/models.md`` describes the alternatives that were measured.

A distance has no meaning for people, so the score is a share: the share of the training pictures
that have a larger distance. Each of them was held out when its distance was measured.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from catdog_stream.errors import StackError
from catdog_stream.models.engines.backbone import Features
from catdog_stream.models.stacks.array_file import read_arrays

__all__ = ["Familiarity", "FamiliaritySection"]

Floats = npt.NDArray[np.float32]

#: Largest decompressed size of the arrays in a file, in bytes; 1,000 classes fit.
MAX_BYTES = 16 * 1024 * 1024
_ARRAYS = ("means", "directions", "variances", "rest", "distances")


class FamiliaritySection(Struct, frozen=True, forbid_unknown_fields=True):
    """The object ``familiarity`` of a manifest."""

    threshold: Annotated[float, Meta(ge=0, lt=1)]
    """A picture with a lower OOD score is ``unknown``; with 0, none is. The expected share of
    ``unknown`` among pictures of the classes that resemble the training pictures."""
    pictures: Annotated[int, Meta(ge=1)]
    """Number of pictures in the calibration."""


class Familiarity:
    """Model that computes the OOD score of features. Thread-safe.

    Args:
        means: mean of each class, [classes, features].
        directions: kept directions, orthogonal and of length 1, [features, k].
        variances: variance along each kept direction, [k]; above 0.
        rest: variance along any other direction; above 0.
        distances: quantiles, at equal steps, of the distances of held-out training pictures;
            ascending, [2 or more].
    """

    def __init__(
        self,
        means: npt.ArrayLike,
        directions: npt.ArrayLike,
        variances: npt.ArrayLike,
        rest: float,
        distances: npt.ArrayLike,
    ) -> None:
        # Rounded as in the file, so that the calibrated model is the loaded model.
        self._means = np.asarray(means, np.float16).astype(np.float32)
        self._directions = np.asarray(directions, np.float16).astype(np.float32)
        self._variances = np.asarray(variances, np.float32)
        self._rest = np.float32(rest)
        self._distances = np.asarray(distances, np.float64)
        self._shares = np.linspace(1, 0, len(self._distances))
        self._lengths = (self._means * self._means).sum(axis=1)
        self._centres = self._means @ self._directions

    def of(self, features: Features) -> npt.NDArray[np.float64]:
        """Return the OOD scores, float64 [n] in 0 to 1, of ``features`` [n, features]."""
        # Row by row: a matrix product of another shape may round differently, and a verdict must
        # not depend on the rest of the batch.
        distances = [self.distance(row) for row in features]
        shares = np.interp(distances, self._distances, self._shares)
        return np.where(np.isnan(shares), 0.0, shares)

    def distance(self, row: Floats) -> float:
        """Return the squared Mahalanobis distance of ``row`` [features] from the nearest mean."""
        row = row / max(float(np.linalg.norm(row)), 1e-12)
        # Without BLAS, which may split even this small product among threads that are busy.
        along = np.einsum("f,fk->k", row, self._directions) - self._centres
        square = (along * along).sum(axis=1)
        near = np.einsum("f,cf->c", row, self._means)
        whole = (row * row).sum() - 2 * near + self._lengths
        rest = np.maximum(whole - square, 0) / self._rest
        return float(((along * along / self._variances).sum(axis=1) + rest).min())

    def save(self, file: Path) -> None:
        """Write ``file``, with the same bytes for the same numbers. Raises ``OSError``."""
        np.savez(
            file,
            means=self._means.astype(np.float16),
            directions=self._directions.astype(np.float16),
            variances=self._variances,
            rest=self._rest,
            distances=self._distances,
        )

    @classmethod
    def load(cls, file: Path, features: int, classes: int) -> "Familiarity":
        """Read ``file``, for these numbers of features and classes. Raises ``StackError``."""
        arrays = read_arrays(file, _ARRAYS, most_bytes=MAX_BYTES)
        means, directions, variances, rest, distances = arrays
        if means.shape != (classes, features):
            raise StackError(f"{file} is not for {classes} classes of {features} features.")
        if variances.ndim != 1 or directions.shape != (features, len(variances)):
            raise StackError(f"{file} has directions and variances that do not fit.")
        if rest.shape != () or distances.ndim != 1 or len(distances) < 2:
            raise StackError(f"{file} has no distances to compare with.")
        if not (variances > 0).all() or not rest > 0 or (np.diff(distances) < 0).any():
            raise StackError(f"{file} has a variance that is none, or distances out of order.")
        return cls(means, directions, variances, float(rest), distances)
