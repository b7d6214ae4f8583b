"""Small requests that show a cat or a dog."""

import io
from pathlib import Path

from PIL import Image

from tests.support.client import request

__all__ = ["small_requests"]

SAMPLES = Path(__file__).parents[2] / "samples"
SIDE = 160


def small_requests() -> list[bytes]:
    """Return the value of one request for each animal, of a few KB."""
    return [request(_small(SAMPLES / name)) for name in ("cat-kitten.jpg", "dog-beagle.jpg")]


def _small(file: Path) -> bytes:
    with Image.open(file) as picture:
        picture.thumbnail((SIDE, SIDE))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG")
    return buffer.getvalue()
