"""Reader of the EXIF orientation, by Chromium's rules, which are stricter than Pillow's."""

import struct

__all__ = ["orientation"]

_ORIENTATION, _SHORT = 0x0112, 3


def orientation(tiff: bytes) -> int:
    """Return the orientation that EXIF data states: 1 (upright) to 8.

    Returns 1 for data that cannot be read, and for a value that is not a single SHORT.

    Args:
        tiff: the data, starting with the byte order.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    (entries,) = struct.unpack(order + "H", tiff[start : start + 2].ljust(2, b"\0"))
    directory = tiff[start + 2 : start + 2 + 12 * entries]
    complete = len(directory) // 12 * 12
    for tag, kind, count, value, _ in struct.iter_unpack(order + "HHIHH", directory[:complete]):
        if tag == _ORIENTATION:
            return value if (kind, count) == (_SHORT, 1) and 1 <= value <= 8 else 1
    return 1
