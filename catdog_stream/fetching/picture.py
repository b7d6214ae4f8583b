"""Conversion of a picture file of any kind to a small PNG, which the stream accepts."""

import importlib
import io
from functools import cache

from PIL import Image, features

from catdog_stream.errors import FetchError, Reason, RejectedRequest
from catdog_stream.fetching.tiff import check_compression, check_parts
from catdog_stream.models.pictures import (
    PictureLimits,
    opened,
    other_format,
    recognise,
    shown,
)

__all__ = ["SIDE", "convertible", "reads_heic", "small_png"]

#: Maximum pixels of the longer side.
SIDE = 299

#: Modules that read HEIC for Pillow. Wheels of the first are under the LGPL, of the second GPL.
_HEIF_MODULES = ("pi_heif", "pillow_heif")

#: Formats that only this module reads, not the stream, with Pillow's names.
_FURTHER = {"TIFF": "TIFF", "AVIF": "AVIF", "HEIC or MP4": "HEIF"}


def small_png(data: bytes, limits: PictureLimits) -> bytes:
    """Return a PNG, RGB or RGBA, of at most ``SIDE`` pixels a side; upright, proportions kept.

    It contains only the pixels of the file. Takes up to a second, or several for a file made to
    take long. Thread-safe.

    Raises:
        FetchError: the file is not a picture, or is damaged or too large.
    """
    try:
        name = _format(data)
        if name == "TIFF":
            check_parts(data)
        with opened(data, name, limits, check_compression if name == "TIFF" else None) as picture:
            small = shown(picture, _fitting)
            small.info = {}  # a colour profile would be written too
            file = io.BytesIO()
            small.save(file, "PNG")
            return file.getvalue()
    except RejectedRequest as error:
        if error.reason == Reason.NOT_AN_IMAGE:
            raise FetchError("What the address gave is not a picture.") from None
        raise FetchError(error.detail) from None


def convertible(data: bytes) -> bool:
    """Return true if the file is in a format that is read here but not by the stream."""
    name = _FURTHER.get(other_format(data) or "")
    return name is not None and _is_read(name)


def reads_heic() -> bool:
    """Return true if HEIC can be read, which needs the extra ``heic``."""
    return _is_read("HEIF")


def _format(data: bytes) -> str:
    """Return Pillow's name of the format. Raise ``FetchError`` or ``RejectedRequest``."""
    try:
        return recognise(data)
    except RejectedRequest:
        other = other_format(data)
        if other is None:
            raise
    name = _FURTHER.get(other)
    if name == "HEIF" and not _is_read(name):
        raise FetchError(
            f"The picture is in the format {other}, which is not read here: whoever runs the "
            "worker can install catdog-stream[heic]. Send it as a JPEG."
        )
    if name is None or not _is_read(name):
        raise FetchError(f"The picture is in the format {other}, which is not read.")
    return name


@cache
def _is_read(name: str) -> bool:
    if name == "AVIF":
        return bool(features.check("avif"))
    return any(map(_registers_heif, _HEIF_MODULES)) if name == "HEIF" else True


def _registers_heif(module: str) -> bool:
    try:
        importlib.import_module(module).register_heif_opener()
    except ImportError:
        return False
    return True


def _fitting(image: Image.Image) -> Image.Image:
    factor = SIDE / max(image.size)
    if factor >= 1:
        return image
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)
