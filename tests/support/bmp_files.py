"""BMP files of every header, depth and mask, written by hand."""

import struct
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tests.support import icc

__all__ = ["bmp", "bmp_files"]

_ARGB = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)


def bmp_files(
    rgba: npt.NDArray[np.uint8], grey: npt.NDArray[np.uint8]
) -> Iterator[tuple[str, bytes]]:
    """Yield names and files."""
    rgb, wide = rgba[..., :3], rgba.astype(np.uint32)
    bgr, bgra = rgb[..., ::-1], np.dstack([rgb[..., ::-1], rgba[..., 3]])
    yield "bmp 24", bmp(bgr, 24)
    yield "bmp 24 upper row first", bmp(bgr, 24, upper_first=True)
    yield "bmp 24 with data behind", bmp(bgr, 24) + b"x" * 99
    yield "bmp 32", bmp(bgra, 32)
    for size in (52, 56, 108, 124):
        yield f"bmp 32 masks, header of {size}", bmp(bgra, 32, 3, _ARGB, size)
        yield f"bmp 32 no masks, header of {size}", bmp(bgra, 32, 0, _ARGB, size)
    yield "bmp 32 masks, first header", bmp(bgra, 32, 3, _ARGB[:3])
    yield "bmp 32 masks and alpha, first header", bmp(bgra, 32, 6, _ARGB)
    red, green, blue, alpha = (wide[..., place] for place in range(4))
    five = (red >> 3 << 10 | green >> 3 << 5 | blue >> 3).astype("<u2")
    yield "bmp 16", bmp(five, 16)
    six = (red >> 3 << 11 | green >> 2 << 5 | blue >> 3).astype("<u2")
    yield "bmp 16 of 5, 6 and 5 bits", bmp(six, 16, 3, (0xF800, 0x7E0, 0x1F))
    yield "bmp 16 blue first", bmp(six, 16, 3, (0x1F, 0x7E0, 0xF800))
    four = (alpha >> 4 << 12 | red >> 4 << 8 | green >> 4 << 4 | blue >> 4).astype("<u2")
    yield "bmp 16 of 4 bits and alpha", bmp(four, 16, 3, (0xF00, 0xF0, 0xF, 0xF000), 56)
    one = five | np.where(alpha > 99, np.uint16(0x8000), np.uint16(0))
    yield "bmp 16 of 1 bit of alpha", bmp(one, 16, 3, (0x7C00, 0x3E0, 0x1F, 0x8000), 56)
    ten = (red << 22 | green << 12 | blue << 2).astype("<u4")
    yield "bmp 32 of 10 bits", bmp(ten, 32, 3, (0x3FF00000, 0xFFC00, 0x3FF))
    for bits in (1, 2, 4, 8):
        colors = b"".join(
            bytes([n * 53 % 256, (n * 91 + 40) % 256, n * 37 % 256, 0]) for n in range(1 << bits)
        )
        shallow = (grey >> (8 - bits)).astype(np.uint8)
        samples = np.unpackbits(shallow[..., np.newaxis], axis=-1)[..., 8 - bits :]
        packed = np.packbits(samples.reshape(len(grey), -1), axis=1)
        yield f"bmp {bits}", bmp(packed, bits, palette=colors, width=grey.shape[1])
    yield "bmp profile", bmp(bgr, 24, size=124, profile=icc.matrix_rgb())


def bmp(
    pixels: npt.NDArray[np.generic],
    bits: int,
    compression: int = 0,
    masks: Sequence[int] = (),
    size: int = 40,
    *,
    palette: bytes = b"",
    width: int | None = None,
    upper_first: bool = False,
    profile: bytes = b"",
) -> bytes:
    """Return a BMP file.

    Args:
        pixels: [height, ...] in the order of the file, the upper row first.
        bits: bits of a pixel.
        compression: value of the header's field.
        masks: color masks, written behind the header.
        size: size of the header, in bytes.
        palette: color table, written behind the masks.
        width: width in pixels, if it is not the second dimension of ``pixels``.
        upper_first: store the rows from top to bottom.
        profile: ICC profile.
    """
    rows = [row.tobytes() for row in (pixels if upper_first else pixels[::-1])]
    data = b"".join(row + bytes(-len(row) % 4) for row in rows)
    height = -len(rows) if upper_first else len(rows)
    header = struct.pack("<IiiHHIIiiII", size, width or pixels.shape[1], height, 1, bits,
                         compression, len(data), 2835, 2835, 0, 0)  # fmt: skip
    header += struct.pack(f"<{len(masks)}I", *masks)
    if size > 40:
        header = header[:size].ljust(size, b"\0")
    if profile:
        header = header[:56] + b"DEBM" + header[60:]
        header = header[:112] + struct.pack("<III", size + len(data), len(profile), 0)
    start = 14 + len(header) + len(palette)
    head = b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start)
    return head + header + palette + data + profile
