"""The decoded pixels of a picture file, with their metadata."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageFile

__all__ = ["Admit", "Decoded", "load", "on_canvas"]

Admit = Callable[[tuple[int, int]], None]
"""Function that a reader calls with width and height before it allocates memory for the pixels.

Raises ``RejectedRequest`` if there are too many pixels.
"""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Decoded pixels of a picture file.

    Attributes:
        image: the pixels, loaded, in any mode of Pillow.
        orientation: the EXIF orientation, 1 to 8; 1 is upright.
        profile: the ICC profile of the colors; ``None`` for sRGB. Untrusted.
    """

    image: Image.Image
    orientation: int = 1
    profile: bytes | None = None


def load(
    data: bytes, name: str, admit: Admit, check: Callable[[ImageFile.ImageFile], None] | None = None
) -> Image.Image:
    """Decode a file in the format that Pillow calls ``name``; of an animation the first frame.

    Args:
        data: the bytes of the file.
        name: Pillow's name of the format.
        admit: called with the size of the picture before its pixels are decoded.
        check: called with the image before its pixels are decoded.

    Raises:
        Exception: any, for a damaged file: Pillow does not wrap the exceptions of its parsers.
    """
    image = Image.open(io.BytesIO(data), formats=(name,))
    admit(image.size)
    if check is not None:
        check(image)
    image.load()
    return image


def on_canvas(image: Image.Image, size: tuple[int, int], corner: tuple[int, int]) -> Image.Image:
    """Return a transparent canvas of ``size`` with ``image`` at ``corner`` (left, top)."""
    canvas = Image.new("RGBA", size)
    canvas.paste(image.convert("RGBA"), corner)
    return canvas
