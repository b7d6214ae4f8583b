"""Latest labelled pictures as resized for the network, in bounded memory.

Keeping a picture takes only a reference to an existing array. Its thumbnail is rendered at the
first request, outside the event loop.
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
#: Pixels of a side, for screens with two pixels per point.
SIDE = 176
QUALITY = 80


@dataclass(frozen=True, slots=True)
class Shot:
    """Labelled picture, without the image."""

    #: Unique among the pictures of all workers.
    id: str
    #: Seconds since the epoch.
    at: float
    label: str
    #: Probability of the most probable class, 0 to 1.
    confidence: float
    #: Empty for a label of another program; such a label has no picture and no known confidence.
    stack: str
    url: str
    source: str


class Latest:
    """The last ``KEPT`` pictures, and as many earlier ones for pages rendered earlier."""

    def __init__(self) -> None:
        self._worker = secrets.token_hex(6)
        self._number = 0
        #: Latest first; with the prepared array, until its thumbnail is rendered.
        self._shots: deque[tuple[Shot, _Thumbnail]] = deque(maxlen=2 * KEPT)

    def next_id(self) -> str:
        """Return the id for the next picture."""
        self._number += 1
        return f"{self._worker}-{self._number}"

    def keep(self, shot: Shot, prepared: object) -> None:
        """Keep one more picture; the oldest is removed."""
        self._shots.appendleft((shot, _Thumbnail(prepared)))

    def shots(self) -> list[Shot]:
        """Return the last ``KEPT`` pictures, latest first."""
        return [shot for shot, _ in islice(self._shots, KEPT)]

    def renderers(self) -> dict[str, "_Thumbnail"]:
        """Return the renderers of all thumbnails by id; threads call them."""
        return {shot.id: thumbnail for shot, thumbnail in self._shots}


class _Thumbnail:
    """Thumbnail that is rendered at the first request."""

    __slots__ = ("_prepared", "_small")

    def __init__(self, prepared: object) -> None:
        self._prepared = prepared
        self._small: bytes | None = None

    def render(self) -> bytes:
        """Return the JPEG; takes about 2 ms the first time. Thread-safe: a rerun is identical."""
        prepared = self._prepared
        if self._small is None:
            self._small = thumbnail(prepared)
            self._prepared = None
        return self._small


def thumbnail(prepared: object) -> bytes:
    """Return a small JPEG of a classifier's prepared picture; empty if it is not an image.

    Args:
        prepared: RGB, uint8, shape [height, width, 3]; of several, the first is used.
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
