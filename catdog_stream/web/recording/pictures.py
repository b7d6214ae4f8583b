"""Latest labelled pictures as resized for the network, in bounded memory.

Keeping a picture takes only a reference to an existing array, or to the bytes of its request. Its
thumbnail is rendered at the first request, outside the event loop.
"""

import io
import secrets
from collections import deque
from dataclasses import dataclass
from itertools import islice

import numpy as np
from PIL import Image

from catdog_stream.errors import RejectedRequest
from catdog_stream.messages.requests.request import RequestParser
from catdog_stream.messages.wire import Incoming
from catdog_stream.models.pictures import Picture, PictureLimits
from catdog_stream.models.whole_pictures import decode_whole

__all__ = ["KEPT", "Latest", "Shot", "pixels"]

KEPT = 12
#: Pixels of a side, for screens with two pixels per point.
SIDE = 176
QUALITY = 80
#: Bytes of the requests that are kept for thumbnails, where no pixels are at hand.
REQUEST_BYTES = 16 * 1024 * 1024


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
    """The last ``KEPT`` pictures, and as many earlier ones for pages rendered earlier.

    Args:
        limits: size limits of the picture of a request.
        parser: parser of the requests.
    """

    def __init__(self, limits: PictureLimits, parser: RequestParser) -> None:
        self._limits = limits
        self._parser = parser
        self._worker = secrets.token_hex(6)
        self._number = 0
        #: Latest first; with the array or the request, until its thumbnail is rendered.
        self._shots: deque[tuple[Shot, _Thumbnail]] = deque(maxlen=2 * KEPT)

    def next_id(self) -> str:
        """Return the id for the next picture."""
        self._number += 1
        return f"{self._worker}-{self._number}"

    def keep(self, shot: Shot, prepared: object, request: Incoming | None = None) -> None:
        """Keep one more picture; the oldest is removed.

        Args:
            shot: its description.
            prepared: the picture as its classifier prepared it.
            request: the request, for a prepared picture that is not an image. The
                oldest requests of more than ``REQUEST_BYTES`` lose their thumbnails.
        """
        picture = pixels(prepared)
        thumbnail = _Thumbnail(request if picture is None else picture, self._limits, self._parser)
        self._shots.appendleft((shot, thumbnail))
        held = 0
        for _, each in self._shots:
            held += each.request_bytes
            if held > REQUEST_BYTES:
                each.forget()

    def shots(self) -> list[Shot]:
        """Return the last ``KEPT`` pictures, latest first."""
        return [shot for shot, _ in islice(self._shots, KEPT)]

    def renderers(self) -> dict[str, "_Thumbnail"]:
        """Return the renderers of all thumbnails by id; threads call them."""
        return {shot.id: thumbnail for shot, thumbnail in self._shots}


class _Thumbnail:
    """Thumbnail that is rendered at the first request, from pixels or from a request."""

    __slots__ = ("_limits", "_origin", "_parser", "_small")

    def __init__(
        self, origin: Picture | Incoming | None, limits: PictureLimits, parser: RequestParser
    ) -> None:
        self._parser = parser
        self._origin = origin
        self._limits = limits
        self._small: bytes | None = None

    @property
    def request_bytes(self) -> int:
        """Bytes of the request that the thumbnail keeps in memory."""
        return self._origin.size if isinstance(self._origin, Incoming) else 0

    def forget(self) -> None:
        """Free the memory of a request; a thumbnail that was not rendered stays empty."""
        if self.request_bytes:
            self._origin = None

    def render(self) -> bytes:
        """Return the JPEG, empty without a picture. Thread-safe: a rerun is identical.

        Takes about 2 ms from pixels the first time, and decodes the picture of a request.
        """
        origin = self._origin
        if self._small is None:
            self._small = b"" if (image := self._image(origin)) is None else _jpeg(image)
            self._origin = None
        return self._small

    def _image(self, origin: Picture | Incoming | None) -> Image.Image | None:
        if not isinstance(origin, Incoming):
            return None if origin is None else Image.fromarray(origin)
        try:
            request = self._parser.parse(origin.value, origin.headers)
            return decode_whole(request.picture, SIDE, self._limits)
        except RejectedRequest:  # the classifier reads formats of its own
            return None


def pixels(prepared: object) -> Picture | None:
    """Return a classifier's prepared picture if it is an image, RGB, uint8, [height, width, 3].

    Of the pictures of several classifiers, the first is used.
    """
    while isinstance(prepared, (tuple, list)) and prepared:
        prepared = prepared[0]
    if isinstance(prepared, np.ndarray) and prepared.dtype == np.uint8:
        return prepared if prepared.ndim == 3 and prepared.shape[2] == 3 else None
    return None


def _jpeg(picture: Image.Image) -> bytes:
    picture.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
