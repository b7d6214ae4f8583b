"""Small requests for the classes of a topology."""

import io
from pathlib import Path

from PIL import Image

from tests.support.client import request
from tests.support.thousand_classes import pictures

__all__ = ["requests_for"]

SAMPLES = Path(__file__).parents[2] / "samples"
SIDE = 160


def requests_for(topology: str) -> list[bytes]:
    """Return the value of one request for each class, of a few KB."""
    if topology == "classes":
        return [request(picture) for picture in pictures(range(1000))]
    return [request(_small(SAMPLES / name)) for name in ("cat-kitten.jpg", "dog-beagle.jpg")]


def _small(file: Path) -> bytes:
    with Image.open(file) as picture:
        picture.thumbnail((SIDE, SIDE))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG")
    return buffer.getvalue()
