"""Cropping and resizing as in TensorFlow 1, with which TF-Slim's checkpoints were measured.

Pillow's ``resize`` differs in three ways. It crops at fractions of a pixel, where TensorFlow 1
rounds to whole pixels. It uses the centre of a pixel as its position, where TensorFlow 1 uses the
upper left corner. It averages when it makes a picture smaller. ``docs/models.md`` has the measured
difference.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["tf1_bilinear"]


def tf1_bilinear(image: Image.Image, size: int, crop: float) -> Image.Image:
    """Return the central part of an RGB or RGBA image, resized to ``size`` x ``size`` pixels.

    Computes ``tf.image.central_crop`` and then ``tf.image.resize_bilinear`` of TensorFlow 1, and
    rounds the result to bytes.

    Args:
        image: in the mode RGB or RGBA.
        size: width and height of the result, in pixels.
        crop: share of the width and of the height that is kept, above 0, at most 1.
    """
    mode = "RGBa" if image.mode == "RGBA" else image.mode  # invisible pixels add no color
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
    """Return, for each new pixel, its two old neighbours and its distance from the first."""
    place = np.arange(size, dtype=np.float32) * np.float32(side / size)
    before = place.astype(np.intp)
    return before, np.minimum(before + 1, side - 1), place - before.astype(np.float32)


def _across(
    rows: npt.NDArray[np.uint8],
    before: npt.NDArray[np.intp],
    after: npt.NDArray[np.intp],
    share: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """Return the rows, interpolated to the width ``len(before)``."""
    first = rows[:, before].astype(np.float32)
    first += (rows[:, after] - first) * share[:, np.newaxis]
    return first
