"""A picture file's pixels, with what the file states of them."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageFile

__all__ = ["Admit", "Decoded", "load", "on_canvas"]

Admit = Callable[[tuple[int, int]], None]
"""To be called with width and height before memory for them is allocated.

Raises ``RejectedRequest`` where there are too many pixels.
"""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Decoded pixels of a picture file.

    Attributes:
        image: loaded, in any mode of Pillow.
        orientation: of EXIF, 1 to 8; 1 is upright.
        profile: ICC profile of the pixels' colors; ``None`` for sRGB. Untrusted.
    """

    image: Image.Image
    orientation: int = 1
    profile: bytes | None = None


def load(
    data: bytes, name: str, admit: Admit, check: Callable[[ImageFile.ImageFile], None] | None = None
) -> Image.Image:
    """Decode a file in the format that Pillow calls ``name``; of an animation the first frame.

    Args:
        check: called with the image before its pixels are decoded.

    Raises:
        Exception: any, for a damaged file: Pillow lets through what its parsers run into.
    """
    image = Image.open(io.BytesIO(data), formats=(name,))
    admit(image.size)
    if check is not None:
        check(image)
    image.load()
    return image


def on_canvas(image: Image.Image, size: tuple[int, int], corner: tuple[int, int]) -> Image.Image:
    """Return a transparent canvas of ``size`` with ``image`` on it, from ``corner`` on."""
    canvas = Image.new("RGBA", size)
    canvas.paste(image.convert("RGBA"), corner)
    return canvas
