"""Cut and resize as TensorFlow 1 did, and so what TF-Slim's checkpoints were measured with.

Pillow's ``resize`` differs in three ways: it cuts at fractions of a pixel where TensorFlow 1 rounds
to whole ones; it takes the middle of a pixel for its place and not the upper left corner; and it
averages where it makes a picture smaller. ``docs/models.md`` says how far apart they are.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["tf1_bilinear"]


def tf1_bilinear(image: Image.Image, size: int, crop: float) -> Image.Image:
    """The middle ``crop`` of the width and height of an RGB or RGBA image, ``size`` x ``size``.

    ``tf.image.central_crop``, and then ``tf.image.resize_bilinear`` of TensorFlow 1; only that the
    result is rounded to bytes.
    """
    mode = "RGBa" if image.mode == "RGBA" else image.mode  # what is invisible gives no colour
    pixels = np.asarray(image.convert(mode) if image.mode != mode else image)
    height, width, _ = pixels.shape
    top, left = (int((side - side * crop) / 2) for side in (height, width))
    pixels = pixels[top : height - top, left : width - left]
    above, below, down = _neighbours(pixels.shape[0], size)
    columns = _neighbours(pixels.shape[1], size)
    upper = _across(pixels[above], *columns)
    upper += (_across(pixels[below], *columns) - upper) * down[:, np.newaxis, np.newaxis]
    small = np.rint(upper, out=upper).astype(np.uint8)
    return Image.frombytes(mode, (size, size), small.tobytes()).convert(image.mode)


def _neighbours(
    side: int, size: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """The two old pixels that each new one lies between, and how far from the first of them."""
    place = np.arange(size, dtype=np.float32) * np.float32(side / size)
    before = place.astype(np.intp)
    return before, np.minimum(before + 1, side - 1), place - before.astype(np.float32)


def _across(
    rows: npt.NDArray[np.uint8],
    before: npt.NDArray[np.intp],
    after: npt.NDArray[np.intp],
    share: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """Each row, made as wide as there are ``before``."""
    first = rows[:, before].astype(np.float32)
    first += (rows[:, after] - first) * share[:, np.newaxis]
    return first
