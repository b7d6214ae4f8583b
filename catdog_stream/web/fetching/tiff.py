"""What of TIFF is read: few bytes of it can cost a worker much."""

import struct
from collections.abc import Iterator

from PIL import Image

from catdog_stream.errors import Reason, RejectedRequest

__all__ = ["check_compression", "check_parts"]

#: Those in which a damaged picture costs one line on standard error, where libtiff writes what it
#: finds. In others a stranger could fill the log.
_COMPRESSIONS = ("raw", "packbits", "jpeg", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate")

#: Strips or tiles. Each costs Pillow some microseconds, and 4 MB can name two million.
_MAX_PARTS = 16_384
_STRIP_OFFSETS, _TILE_OFFSETS = 273, 324


def check_parts(data: bytes) -> None:
    """To be called before Pillow opens it, which counts them. Raises ``RejectedRequest``."""
    for tag, values in _tags(data):
        if tag in (_STRIP_OFFSETS, _TILE_OFFSETS) and values > _MAX_PARTS:
            raise RejectedRequest(
                Reason.DAMAGED_IMAGE, f"The TIFF picture has more than {_MAX_PARTS} parts."
            )


def check_compression(image: Image.Image) -> None:
    """To be called before it is decoded. Raises ``RejectedRequest``."""
    if image.info.get("compression") not in _COMPRESSIONS:
        raise RejectedRequest(
            Reason.UNSUPPORTED_FORMAT, "The TIFF picture is compressed in a way that is not read."
        )


def _tags(data: bytes) -> Iterator[tuple[int, int]]:
    """The tags of the first picture, each with how many values it has; as many as can be read."""
    order = "<" if data.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        for number in range(count):
            tag, _, values = struct.unpack_from(order + "HHI", data, start + 2 + 12 * number)
            yield tag, values
    except struct.error:
        return  # Pillow reads no further either
