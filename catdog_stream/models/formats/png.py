"""Reader of PNG (https://www.w3.org/TR/png-3/): the pixels, and the metadata chunks before them.

This module parses the chunks, and Pillow gets the pixels alone. As in browsers, a wrong checksum of
a comment, a large profile or a compressed text of 100 MB has no effect.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile

from catdog_stream.models.formats import exif
from catdog_stream.models.formats.decoded import Admit, Decoded, load, on_canvas
from catdog_stream.models.formats.png_colors import COLOR_CHUNKS, profile

__all__ = ["read_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE = 0, 2, 3
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, 4: 2, 6: 4}
#: Ancillary chunks that are read if they precede the pixels and are intact.
_READ = COLOR_CHUNKS | {b"tRNS", b"eXIf", b"acTL", b"fcTL"}
_MAX_LENGTH = 2**31 - 1
#: Writers split the pixels into chunks of 8 KB or more. 4 MB can hold 350,000 empty chunks.
_MAX_CHUNKS = 16_384
_CHECKSUM_BYTES = 4
#: Bytes that are decompressed at a time while pixels are counted.
_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class _File:
    """The chunks of a PNG, each without its length and checksum."""

    header: bytes
    #: Chunks before the pixels: kind to content; of several of a kind, the first.
    about: Mapping[bytes, bytes]
    #: The zlib stream.
    pixels: bytes
    #: Content of ``fcTL`` if the pixels are an animation's first frame, placed on a canvas.
    frame: bytes | None

    @property
    def size(self) -> tuple[int, int]:
        width, height = struct.unpack(">II", self.header[:8])
        return width, height

    @property
    def depth(self) -> int:
        return self.header[8]

    @property
    def color_type(self) -> int:
        return self.header[9]


def read_png(data: bytes, admit: Admit) -> Decoded:
    """Decode a PNG. Raises ``RejectedRequest``, or any exception for a damaged file."""
    file = _parse(data)
    admit(file.size)
    image = _decode(file, admit)
    if file.frame is not None:
        image = on_canvas(image, file.size, struct.unpack(">II", file.frame[12:20]))
    return Decoded(image, exif.orientation(file.about.get(b"eXIf", b"")), profile(file.about))


def _parse(data: bytes) -> _File:
    chunks = _chunks(data)
    kind, start, end = next(chunks, (b"", 0, 0))
    if kind != b"IHDR" or end - start != 13 or not _is_intact(data, start, end):
        raise ValueError("its header cannot be read")
    header, about, pixels = data[start:end], dict[bytes, bytes](), list[bytes]()
    for kind, start, end in chunks:
        if kind == b"IDAT":
            pixels.append(data[start:end])
            break
        if not kind[0] & 0x20 and kind != b"PLTE":
            raise ValueError("it has a chunk that is necessary and not known")
        if (kind in _READ or kind == b"PLTE") and kind not in about:
            if _is_intact(data, start, end):
                about[kind] = data[start:end]
            elif kind == b"PLTE":
                raise ValueError("its palette is damaged")
    frame = None
    if about.get(b"acTL", bytes(4))[:4] != bytes(4) and b"fcTL" not in about:
        frame, pixels = _first_frame(data, chunks)
    else:
        pixels += (data[start:end] for kind, start, end in chunks if kind == b"IDAT")
    return _File(header, about, b"".join(pixels), frame)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each chunk before IEND, and the start and end of its content."""
    start = len(_SIGNATURE) + 8
    for _ in range(_MAX_CHUNKS):
        if start > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, start - 8)
        if length > _MAX_LENGTH or kind == b"IEND":
            return
        yield kind, start, min(start + length, len(data))
        start += length + _CHECKSUM_BYTES + 8
    raise ValueError(f"it has more than {_MAX_CHUNKS} chunks")


def _is_intact(data: bytes, start: int, end: int) -> bool:
    checksum = zlib.crc32(memoryview(data)[start - 4 : end])
    return data[end : end + _CHECKSUM_BYTES] == checksum.to_bytes(4, "big")


def _first_frame(
    data: bytes, chunks: Iterator[tuple[bytes, int, int]]
) -> tuple[bytes, list[bytes]]:
    """Return ``fcTL`` and the pixels of the first frame of an animation that excludes IDAT."""
    frame, pixels = b"", list[bytes]()
    for kind, start, end in chunks:
        if kind == b"fcTL" and frame:
            break
        if kind == b"fcTL":
            frame = data[start:end]
        elif kind == b"fdAT" and frame:
            pixels.append(data[start + 4 : end])
    return frame, pixels


def _decode(file: _File, admit: Admit) -> Image.Image:
    header = file.header if file.frame is None else file.frame[4:12] + file.header[8:]
    transparent = _transparent(file)
    head = [_chunk(b"IHDR", header)]
    if file.color_type == _PALETTE:
        head.append(_chunk(b"PLTE", _palette(file)))
    if transparent is not None and file.depth < 16:
        head.append(_chunk(b"tRNS", transparent))
    try:
        image = _load(head, file.pixels, admit)
    except OSError:
        # Perhaps only zlib's checksum at the end is wrong, which browsers accept.
        image = _load(head, file.pixels[:-_CHECKSUM_BYTES], admit)
    _check_complete(image, file, header)
    if transparent is not None and file.depth == 16:
        return _with_transparent(image, transparent, head, file.pixels, admit)
    return image


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", checksum)


def _load(head: list[bytes], pixels: bytes, admit: Admit, *, lower: bool = False) -> Image.Image:
    """Decode the pixels; for 16-bit RGB, the upper bytes, or with ``lower`` the lower bytes."""

    def choose_bytes(image: ImageFile.ImageFile) -> None:
        # Reads each sample with its bytes swapped.
        image.tile = [tile._replace(args="RGB;16L") for tile in image.tile]

    # Pillow does not check the checksum of pixels.
    body = struct.pack(">I4s", len(pixels), b"IDAT"), pixels, bytes(4), _chunk(b"IEND", b"")
    data = b"".join([_SIGNATURE, *head, *body])
    return load(data, "PNG", admit, choose_bytes if lower else None)


def _palette(file: _File) -> bytes:
    """Return a color for each possible index; the last color fills the missing entries."""
    colors = file.about.get(b"PLTE", b"")[: 3 << file.depth]
    if len(colors) < 3 or len(colors) % 3:
        raise ValueError("its palette is missing or damaged")
    return colors + colors[-3:] * ((1 << file.depth) - len(colors) // 3)


def _transparent(file: _File) -> bytes | None:
    """Return the content of ``tRNS`` for Pillow, which scales greys of 2 and 4 bits to 8 bits."""
    content = file.about.get(b"tRNS")
    if content is None:
        return None
    if file.color_type == _PALETTE:
        order = list(file.about)
        after_palette = order.index(b"tRNS") > order.index(b"PLTE")
        return content[: 1 << file.depth] if after_palette else None
    channels = _CHANNELS[file.color_type]
    if file.color_type not in (_GREY, _RGB) or len(content) < 2 * channels:
        return None
    mask = (1 << file.depth) - 1
    factor = 255 // mask if 1 < file.depth < 8 else 1
    samples = struct.unpack_from(f">{channels}H", content)
    return struct.pack(f">{channels}H", *((sample & mask) * factor for sample in samples))


def _with_transparent(
    image: Image.Image, transparent: bytes, head: list[bytes], pixels: bytes, admit: Admit
) -> Image.Image:
    """Return a 16-bit picture as 8 bits with alpha; one color, given in 16 bits, is transparent."""
    if image.mode != "RGB":
        samples = np.asarray(image)
        (grey,) = struct.unpack(">H", transparent)
        opaque = samples != grey
        image = Image.fromarray((samples >> 8).astype(np.uint8))
        del samples
    else:
        lower = _load(head, pixels, admit, lower=True)
        opaque = np.zeros((image.height, image.width), bool)
        for number, sample in enumerate(transparent):
            half = image if number % 2 == 0 else lower
            opaque |= np.asarray(half.getchannel(number // 2)) != sample
        del half, lower  # 100 MB, in the largest picture
    alpha = opaque.view(np.uint8)
    alpha *= 255
    image.putalpha(Image.fromarray(alpha))
    return image


def _check_complete(image: Image.Image, file: _File, header: bytes) -> None:
    """Raise ``ValueError`` if the last rows are missing; Pillow fills them with zeros."""
    width, height = image.size
    interlaced = header[12] != 0
    # The last pass of an interlaced picture has every other row.
    last = height // 2 * 2 - 1 if interlaced and height > 1 else height - 1
    if image.crop((0, last, width, last + 1)).getbbox(alpha_only=False) is not None:
        return
    bits = _CHANNELS[file.color_type] * file.depth
    passes = _adam7(width, height) if interlaced else [(width, height)]
    missing = sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in passes if columns)
    unpacker, rest = zlib.decompressobj(), file.pixels
    with suppress(zlib.error):
        while missing > 0 and rest and not unpacker.eof:
            missing -= len(unpacker.decompress(rest, _STEP))
            rest = unpacker.unconsumed_tail
        if not rest:
            missing -= len(unpacker.flush())
    if missing > 0:
        raise ValueError("its last rows are missing")


def _adam7(width: int, height: int) -> list[tuple[int, int]]:
    """Return the number of columns and rows of each pass of an interlaced picture."""
    starts = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
    return [
        (-(-(width - left) // right), -(-(height - top) // down))
        for left, top, right, down in [*starts, (0, 1, 1, 2)]
    ]
