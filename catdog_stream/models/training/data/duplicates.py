"""Detection of duplicates: pictures that were copied, saved again, resized, brightened or mirrored.

A perceptual hash of 64 bits (the signs of the lowest frequencies of a cosine transform, as in
pHash) finds candidates. A candidate is a duplicate if its colors match at 32 pixels and its fine
detail at 128 pixels. docs/models.md has the measurements. A flat picture has no detail, and is a
duplicate only if its bytes are the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from catdog_stream.models.pictures import Picture

__all__ = ["DETAIL", "THUMBNAIL", "Look", "Sameness"]

#: Width and height of the compared pictures, in pixels.
THUMBNAIL, DETAIL = 32, 128

#: Largest number of different bits, of 63. Copies differed by 6 bits at most.
MOST_BITS = 6
#: Least correlation of grey values, of colors and of detail. Among six million pairs of different
#: pictures the largest correlation was 0.88; copies had 0.98.
LEAST_ALIKE, LEAST_ALIKE_IN_COLOUR, LEAST_ALIKE_IN_DETAIL = 0.98, 0.95, 0.9
#: Standard deviation of the blur, in pixels of ``DETAIL``; detail is what the blur removes.
_BLUR = 3.0
#: Standard deviation, in levels of 0 to 255, below which a picture is flat.
_FLAT = 0.5
#: Number of cached details, of 64 KB each: similar pictures are compared with the same pictures.
_KEPT = 1024

_GREY = np.array([0.299, 0.587, 0.114])

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Look:
    """Thumbnail and hashes of a picture."""

    thumbnail: Picture
    """RGB, uint8 [32, 32, 3]."""
    hash: np.uint64
    mirrored: np.uint64
    """Hash of the mirror image."""

    @classmethod
    def of(cls, thumbnail: Picture) -> "Look":
        """Create the hashes of a thumbnail, RGB, uint8 [32, 32, 3]."""
        grey = thumbnail @ _GREY
        return cls(thumbnail, _hash(grey), _hash(grey[:, ::-1]))


class Sameness:
    """Index of pictures that finds duplicates among them.

    A picture is compared only with pictures that were no duplicates themselves. Ten thousand
    pictures take some seconds.
    """

    def __init__(self, read: Callable[[Path], Picture | None]) -> None:
        """Create an empty index.

        Args:
            read: returns a file's picture, RGB, uint8 [128, 128, 3]; ``None`` if unreadable.
        """
        self._read = read
        self._detail = lru_cache(_KEPT)(self._read_detail)
        self._new: list[tuple[Path, Look]] = []
        self._hashes = np.zeros(1024, np.uint64)

    def find(self, file: Path, look: Look) -> Path | None:
        """Return the earlier file with the same picture, or add ``file`` and return ``None``."""
        known = self._hashes[: len(self._new)]
        for number, mirrored in _candidates(known, look):
            other, other_look = self._new[number]
            thumbnail = look.thumbnail[:, ::-1] if mirrored else look.thumbnail
            if not _alike(thumbnail, other_look.thumbnail):
                continue
            one, two = self._detail(file, mirrored), self._detail(other, False)
            if _correlation(one, two) >= LEAST_ALIKE_IN_DETAIL:
                return other
        self._add(file, look)
        return None

    def _add(self, file: Path, look: Look) -> None:
        count = len(self._new)
        if count == len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.zeros_like(self._hashes)])
        self._hashes[count] = look.hash
        self._new.append((file, look))

    def _read_detail(self, file: Path, mirrored: bool) -> Vector | None:
        picture = self._read(file)
        if picture is None:
            return None
        grey = (picture[:, ::-1] if mirrored else picture) @ _GREY
        return np.ravel(grey - gaussian_filter(grey, _BLUR)).astype(np.float32)


def _hash(grey: Vector) -> np.uint64:
    """Return 63 bits: which of the 8 x 8 lowest frequencies, mean excluded, exceed the median."""
    frequencies = dctn(grey, norm="ortho")[:8, :8].ravel()
    bits = frequencies[1:] > np.median(frequencies[1:])
    return np.uint64(int.from_bytes(np.packbits(np.concatenate([[False], bits])).tobytes()))


def _candidates(known: npt.NDArray[np.uint64], look: Look) -> Iterator[tuple[int, bool]]:
    """Yield the indices of near hashes, nearest first, each with True for the mirror image."""
    distances = np.stack([np.bitwise_count(known ^ each) for each in (look.hash, look.mirrored)])
    mirrored, near = np.nonzero(distances <= MOST_BITS)
    for index in np.argsort(distances[mirrored, near], kind="stable"):
        yield int(near[index]), bool(mirrored[index])


def _alike(one: Picture, other: Picture) -> bool:
    return (
        _correlation(np.ravel(one @ _GREY), np.ravel(other @ _GREY)) >= LEAST_ALIKE
        and _correlation(np.ravel(one), np.ravel(other)) >= LEAST_ALIKE_IN_COLOUR
    )


def _correlation(one: npt.NDArray[Any] | None, other: npt.NDArray[Any] | None) -> float:
    """Return Pearson's correlation, -1 to 1; 0 if a picture is flat or missing."""
    if one is None or other is None:
        return 0.0
    one, other = one - np.mean(one), other - np.mean(other)
    if min(one.std(), other.std()) < _FLAT:
        return 0.0
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
