"""Values of a network's input, computed from the bytes of a prepared picture with NumPy."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from catdog_stream.models.preprocessing import Preprocessing

__all__ = ["Quantization", "scaled", "write_input"]


class Quantization(NamedTuple):
    """Relation of an integer tensor to its values: ``(integer - zero_point) * scale``."""

    scale: float
    zero_point: int


def write_input(
    picture: npt.NDArray[np.uint8],
    wanted: Preprocessing,
    out: npt.NDArray[Any],
    quantization: Quantization | None = None,
) -> None:
    """Write the network's input for ``picture`` into ``out``, in the layout and type of ``wanted``.

    Args:
        picture: RGB, uint8 [height, width, 3].
        wanted: the input format of the network.
        out: memory for one picture.
        quantization: of an integer input; without it, the input is the nearest integer.
    """
    if out.dtype == np.float32:
        _scale(picture, wanted, out)
        return
    values = np.empty(out.shape, np.float32)
    _scale(picture, wanted, values)
    if out.dtype.kind != "f":
        if quantization is not None:
            values = values / np.float32(quantization.scale) + np.float32(quantization.zero_point)
        limits = np.iinfo(out.dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    out[...] = values


def scaled(picture: npt.NDArray[np.uint8], wanted: Preprocessing) -> npt.NDArray[np.float32]:
    """Return the network's input for ``picture``, float32 in the same shape."""
    result = np.empty(picture.shape, np.float32)
    _scale(picture, wanted, result)
    return result


def _scale(
    picture: npt.NDArray[np.uint8], wanted: Preprocessing, out: npt.NDArray[np.float32]
) -> None:
    """Write the values of the input into ``out``, in the layout of ``wanted``."""
    pixels = picture[..., ::-1] if wanted.channels == "BGR" else picture
    of_channels: tuple[int, ...] = (-1,)
    if wanted.layout == "NCHW":
        pixels, of_channels = np.moveaxis(pixels, -1, 0), (-1, 1, 1)
    np.divide(pixels, np.float32(wanted.divisor), out=out, dtype=np.float32)
    np.add(out, np.float32(wanted.range[0]), out=out)
    if wanted.has_statistics:
        np.subtract(out, np.array(wanted.mean, np.float32).reshape(of_channels), out=out)
        np.divide(out, np.array(wanted.std, np.float32).reshape(of_channels), out=out)
