"""The latest labelled pictures as the network saw them, in bounded memory.

To keep one costs a reference to an array that is there anyway. Its small copy is made when somebody
looks, off the event loop.
"""

import io
import secrets
from collections import deque
from dataclasses import dataclass
from itertools import islice

import numpy as np
from PIL import Image

__all__ = ["KEPT", "Latest", "Shot", "thumbnail"]

KEPT = 12
#: Pixels of a side, for screens with two of them to a point.
SIDE = 176
QUALITY = 80


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture that was labelled, without the picture."""

    #: Unlike that of any other picture of any worker.
    id: str
    #: Seconds since the epoch.
    at: float
    label: str
    #: Of the likeliest class, 0 to 1.
    confidence: float
    #: Empty of a label that another program wrote; such a one has no picture, and is not as sure.
    stack: str
    url: str
    source: str


class Latest:
    """The last ``KEPT`` pictures, and for pages that were made before, as many that were it."""

    def __init__(self) -> None:
        self._worker = secrets.token_hex(6)
        self._number = 0
        #: The latest first; with what was prepared, until its thumbnail is made.
        self._shots: deque[tuple[Shot, _Thumbnail]] = deque(maxlen=2 * KEPT)

    def next_id(self) -> str:
        """For the next picture."""
        self._number += 1
        return f"{self._worker}-{self._number}"

    def keep(self, shot: Shot, prepared: object) -> None:
        """Keep one more; the oldest goes."""
        self._shots.appendleft((shot, _Thumbnail(prepared)))

    def shots(self) -> list[Shot]:
        """The last ``KEPT``, the latest first."""
        return [shot for shot, _ in islice(self._shots, KEPT)]

    def films(self) -> dict[str, "_Thumbnail"]:
        """What makes the thumbnails of all, by their ids; made in threads, each once."""
        return {shot.id: film for shot, film in self._shots}


class _Thumbnail:
    """A picture that is small once it has been looked at."""

    __slots__ = ("_prepared", "_small")

    def __init__(self, prepared: object) -> None:
        self._prepared = prepared
        self._small: bytes | None = None

    def render(self) -> bytes:
        """The thumbnail; takes about 2 ms the first time. Thread-safe: twice made is the same."""
        prepared = self._prepared
        if self._small is None:
            self._small = thumbnail(prepared)
            self._prepared = None
        return self._small


def thumbnail(prepared: object) -> bytes:
    """A small JPEG of what a classifier has prepared; empty where that is no picture.

    Args:
        prepared: RGB, uint8, shape [height, width, 3]; of several, the first is shown.
    """
    while isinstance(prepared, (tuple, list)) and prepared:
        prepared = prepared[0]
    if not (isinstance(prepared, np.ndarray) and prepared.dtype == np.uint8 and prepared.ndim == 3):
        return b""
    picture = Image.fromarray(prepared)
    picture.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
