"""PNG files of every kind, written by hand: Pillow writes few of those that it reads."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["chunk", "png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
Chunks = Sequence[tuple[bytes, bytes]]


def chunk(kind: bytes, data: bytes, *, flaw: int = 0) -> bytes:
    """Return a chunk; with a ``flaw``, its checksum is wrong."""
    check = zlib.crc32(kind + data) ^ flaw
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png(
    samples: npt.ArrayLike,
    depth: int,
    color_type: int,
    before: Chunks = (),
    after: Chunks = (),
) -> bytes:
    """Return a PNG file.

    Args:
        samples: [height, width] or [height, width, channels], each of 0 to 2 ** depth - 1.
        depth: bits of a sample.
        color_type: color type of the header.
        before: kind and data of the chunks before the pixels.
        after: kind and data of the chunks behind the pixels.
    """
    values = np.asarray(samples)
    height, width = values.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    return b"".join(
        [
            SIGNATURE,
            chunk(b"IHDR", header),
            *(chunk(*each) for each in before),
            chunk(b"IDAT", zlib.compress(_packed(values, depth))),
            *(chunk(*each) for each in after),
            chunk(b"IEND", b""),
        ]
    )


def _packed(values: npt.NDArray[np.generic], depth: int) -> bytes:
    rows = values.reshape(len(values), -1)
    if depth == 16:
        packed = rows.astype(">u2").view(np.uint8)
    elif depth == 8:
        packed = rows.astype(np.uint8)
    else:
        bits = np.unpackbits(rows.astype(np.uint8)[..., np.newaxis], axis=-1)[..., 8 - depth :]
        packed = np.packbits(bits.reshape(len(rows), -1), axis=1)
    return b"".join(b"\0" + row.tobytes() for row in packed)
