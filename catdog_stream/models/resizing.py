"""Resizing of a picture to the size of a network's input, as the manifest says.

For a picture of another aspect ratio than the input, ``fit`` is one of:

- ``stretch``: the picture is stretched.
- ``shorter_side``: the picture is resized so that it covers the input divided by ``crop``, and the
  central part is kept, with torchvision's rounding of sizes and positions.
- ``crop``: the largest central part with the input's aspect ratio is resized, as in Pillow's
  ``ImageOps.fit``.
- ``letterbox``: the picture is resized to fit into the input, and ``color`` fills the rest.

Every way resizes one part of the picture, so that no intermediate picture is larger than the
input, however narrow the picture is.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.tf1_resizing import tf1_bilinear

__all__ = ["letterboxed", "resized"]

Box: TypeAlias = tuple[float, float, float, float]
"""Left, upper, right and lower edge of a part of a picture, in pixels."""
Size: TypeAlias = tuple[int, int]
"""Width and height, in pixels."""
_Floats: TypeAlias = npt.NDArray[np.float64]

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}


def resized(image: Image.Image, wanted: Preprocessing, *, on_its_side: bool) -> Image.Image:
    """Return an RGB, RGBA or CMYK image, cropped and resized as ``wanted``.

    With ``fit`` letterbox, the result has the size of the picture inside the letterbox.

    Args:
        image: the picture as it is stored.
        wanted: the input format of the network.
        on_its_side: the result is turned by a right angle afterwards.
    """
    if wanted.resize == "tf1_bilinear":
        return tf1_bilinear(image, wanted.size, wanted.crop)
    height, width, _ = wanted.shape
    size = (height, width) if on_its_side else (width, height)
    box: Box | None = None
    if wanted.fit == "letterbox":
        size = _inside(image.size, size)
    elif wanted.fit == "shorter_side":
        box = _window(image.size, size, wanted.crop)
    elif wanted.fit == "crop":
        box = _middle(image.size, size, wanted.crop)
    elif wanted.crop < 1:
        left, top = ((1 - wanted.crop) / 2 * side for side in image.size)
        box = (left, top, image.width - left, image.height - top)
    if wanted.antialias or wanted.resize not in _KERNELS:
        is_sampled = not wanted.antialias and wanted.resize == "box"
        return image.resize(size, _FILTERS["nearest" if is_sampled else wanted.resize], box)
    return _sampled(image, size, box or (0, 0, *image.size), *_KERNELS[wanted.resize])


def letterboxed(image: Image.Image, wanted: Preprocessing) -> Image.Image:
    """Return an upright RGB image of the size of the input, with ``color`` beside a smaller one."""
    height, width, _ = wanted.shape
    if image.size == (width, height):
        return image
    whole = Image.new("RGB", (width, height), wanted.color)
    whole.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return whole


def _inside(old: Size, size: Size) -> Size:
    """Return the largest size within ``size`` with the aspect ratio of ``old``."""
    factor = min(new / side for new, side in zip(size, old, strict=True))
    width, height = (max(1, round(factor * side)) for side in old)
    return width, height


def _middle(old: Size, size: Size, share: float) -> Box:
    """Return ``share`` of the largest central part with the aspect ratio of ``size``."""
    factor = share * min(side / new for new, side in zip(size, old, strict=True))
    left, top = (max(0, side - factor * new) / 2 for new, side in zip(size, old, strict=True))
    return left, top, old[0] - left, old[1] - top


def _window(old: Size, size: Size, crop: float) -> Box:
    """Return the part that is seen if the picture covers ``size`` divided by ``crop``."""
    width, height = (math.floor(side / crop + 1e-9) for side in size)
    if old[0] * height <= old[1] * width:  # as in torchvision: rounded down
        height = width * old[1] // old[0]
    else:
        width = height * old[0] // old[1]
    left, top = round((width - size[0]) / 2), round((height - size[1]) / 2)
    right, lower = left + size[0], top + size[1]
    horizontal = (left * old[0] / width, right * old[0] / width)
    vertical = (top * old[1] / height, lower * old[1] / height)
    return horizontal[0], vertical[0], horizontal[1], vertical[1]


def _linear(away: _Floats) -> _Floats:
    return np.maximum(0, 1 - away)


def _cubic(away: _Floats) -> _Floats:
    """Return Keys' cubic with a = -0.5, as in Pillow and TensorFlow."""
    near = (1.5 * away - 2.5) * away * away + 1
    far = ((-0.5 * away + 2.5) * away - 4) * away + 2
    return np.where(away < 1, near, np.where(away < 2, far, 0))


def _lanczos(away: _Floats) -> _Floats:
    return np.where(away < 3, np.sinc(away) * np.sinc(away / 3), 0)


#: Function from the distance of an old pixel to its weight, and the number of old pixels on each
#: side of a new one.
_KERNELS: dict[str, tuple[Callable[[_Floats], _Floats], int]] = {
    "bilinear": (_linear, 1),
    "bicubic": (_cubic, 2),
    "lanczos": (_lanczos, 3),
}


def _sampled(
    image: Image.Image, size: Size, box: Box, kernel: Callable[[_Floats], _Floats], reach: int
) -> Image.Image:
    """Return the part ``box`` of an image, resized without antialiasing."""
    mode = "RGBa" if image.mode == "RGBA" else image.mode  # invisible pixels add no color
    pixels = np.asarray(image.convert(mode) if image.mode != mode else image)
    rows, row_weights = _taps(image.height, box[1], box[3], size[1], kernel, reach)
    columns, column_weights = _taps(image.width, box[0], box[2], size[0], kernel, reach)
    small = np.zeros((size[1], size[0], pixels.shape[2]), np.float32)
    for row, down in zip(rows, row_weights, strict=True):
        for column, across in zip(columns, column_weights, strict=True):
            weights = np.outer(down, across).astype(np.float32)[:, :, np.newaxis]
            small += weights * pixels[row[:, np.newaxis], column]
    found = np.clip(np.rint(small), 0, 255).astype(np.uint8)
    return Image.frombytes(mode, size, found.tobytes()).convert(image.mode)


def _taps(
    side: int,
    start: float,
    end: float,
    size: int,
    kernel: Callable[[_Floats], _Floats],
    reach: int,
) -> tuple[npt.NDArray[np.intp], _Floats]:
    """Return the old pixels of each new pixel and their weights, both [2 * reach, size]."""
    centre = start + (np.arange(size) + 0.5) * ((end - start) / size) - 0.5
    steps = np.arange(1 - reach, reach + 1)[:, np.newaxis]
    taps = np.floor(centre).astype(np.intp) + steps
    weights = np.where((taps >= 0) & (taps < side), kernel(np.abs(taps - centre)), 0.0)
    return np.clip(taps, 0, side - 1), weights / weights.sum(axis=0)
