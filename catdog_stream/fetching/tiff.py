"""Restrictions on TIFF, of which a few bytes can take much of a worker's time."""

import struct
from collections.abc import Iterator

from PIL import Image

from catdog_stream.errors import Reason, RejectedRequest

__all__ = ["check_compression", "check_parts"]

#: Compressions in which a damaged picture makes libtiff write one line to standard error. In
#: others, an untrusted client could fill the log.
_COMPRESSIONS = ("raw", "packbits", "jpeg", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate")

#: Maximum number of strips or tiles. Each takes Pillow some microseconds, and 4 MB can name two
#: million.
_MAX_PARTS = 16_384
_STRIP_OFFSETS, _TILE_OFFSETS = 273, 324


def check_parts(data: bytes) -> None:
    """Check the number of parts before Pillow opens the file. Raise ``RejectedRequest``."""
    for tag, values in _tags(data):
        if tag in (_STRIP_OFFSETS, _TILE_OFFSETS) and values > _MAX_PARTS:
            raise RejectedRequest(
                Reason.DAMAGED_IMAGE, f"The TIFF picture has more than {_MAX_PARTS} parts."
            )


def check_compression(image: Image.Image) -> None:
    """Check the compression before decoding. Raise ``RejectedRequest``."""
    if image.info.get("compression") not in _COMPRESSIONS:
        raise RejectedRequest(
            Reason.UNSUPPORTED_FORMAT, "The TIFF picture is compressed in a way that is not read."
        )


def _tags(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the readable tags of the first picture, each with its number of values."""
    order = "<" if data.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        for number in range(count):
            tag, _, values = struct.unpack_from(order + "HHI", data, start + 2 + 12 * number)
            yield tag, values
    except struct.error:
        return  # Pillow reads no further either
