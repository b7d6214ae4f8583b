"""Reader of BMP: this module reads pixels of 2, 16 and 32 bits, with masks and alpha.

Pillow reads all other pixels.
"""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from catdog_stream.models.formats.decoded import Admit, Decoded, load

__all__ = ["HEADER_SIZES", "read_bmp"]

HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)

_RAW, _MASKS, _ALPHA_MASKS = 0, 3, 6
#: Header sizes: V1 basic, V2 with color masks, V3 with an alpha mask, V4 with a color space, V5
#: with an ICC profile.
_V1, _V2, _V3, _V4, _V5 = 40, 52, 56, 108, 124
_FILE_HEADER_BYTES = 14
#: Masks of files that state none: 5 bits a channel of 16, 8 bits a channel of 32.
_USUAL = {16: (0x7C00, 0x3E0, 0x1F), 32: (0xFF0000, 0xFF00, 0xFF)}
_EMBEDDED = b"DEBM"  # PROFILE_EMBEDDED, in little-endian order


@dataclass(frozen=True, slots=True)
class _Header:
    offset: int
    size: int
    width: int
    #: Negative if the top row comes first.
    height: int
    bits: int
    compression: int


def read_bmp(data: bytes, admit: Admit) -> Decoded:
    """Decode a BMP. Raises ``RejectedRequest``, or any exception for a damaged file."""
    (size,) = struct.unpack_from("<I", data, _FILE_HEADER_BYTES)
    if size not in (_V1, _V2, _V3, _V4, _V5):
        return Decoded(load(data, "BMP", admit))
    (offset,) = struct.unpack_from("<I", data, 10)
    header = _Header(offset, size, *struct.unpack_from("<iixxHI", data, _FILE_HEADER_BYTES + 4))
    profile = _profile(data, header)
    if header.bits in _USUAL and header.compression in (_RAW, _MASKS, _ALPHA_MASKS):
        image = _masked(_rows(data, header, admit), header, _masks(data, header))
    elif header.bits == 2 and header.compression == _RAW:
        image = _four_colors(_rows(data, header, admit), header, data)
    else:
        image = load(data, "BMP", admit)
    return Decoded(image, profile=profile)


def _rows(data: bytes, header: _Header, admit: Admit) -> npt.NDArray[np.uint8]:
    """Return the bytes of the pixels, uint8 [height, bytes of a row], the top row first."""
    width, height = header.width, abs(header.height)
    if width <= 0 or height == 0:
        raise ValueError("it has no pixels")
    admit((width, height))
    row = -(-width * header.bits // 32) * 4
    end = header.offset + row * height
    if end > len(data):
        raise ValueError("its last rows are missing")
    pixels: npt.NDArray[np.uint8] = np.frombuffer(data, np.uint8, row * height, header.offset)
    rows = pixels.reshape(height, row)
    return rows[::-1] if header.height > 0 else rows


def _masked(rows: npt.NDArray[np.uint8], header: _Header, masks: tuple[int, ...]) -> Image.Image:
    samples = np.ascontiguousarray(rows).view(f"<u{header.bits // 8}")[:, : header.width]
    channels = [_channel(samples, mask) for mask in masks]
    if len(channels) == 4 and not channels[3].any():
        channels.pop()  # writers without alpha support leave zeros there
    return Image.fromarray(np.dstack(channels))


def _four_colors(rows: npt.NDArray[np.uint8], header: _Header, data: bytes) -> Image.Image:
    start = _FILE_HEADER_BYTES + header.size
    palette = np.frombuffer(data, np.uint8, 4 * 4, start).reshape(4, 4)[:, 2::-1]
    indices = rows[:, :, np.newaxis] >> np.array([6, 4, 2, 0], np.uint8) & 3
    return Image.fromarray(palette[indices.reshape(len(rows), -1)[:, : header.width]])


def _masks(data: bytes, header: _Header) -> tuple[int, ...]:
    """Return the bit masks of red, green and blue in a sample, and of alpha if there is alpha."""
    start = _FILE_HEADER_BYTES + _V1
    if header.compression == _RAW:
        has_alpha = header.bits == 32 and header.size >= _V4
        masks = _USUAL[header.bits]
    else:
        has_alpha = header.size >= _V3 or header.compression == _ALPHA_MASKS
        masks = struct.unpack_from("<3I", data, start)
    alpha = struct.unpack_from("<I", data, start + 12) if has_alpha else (0,)
    return masks + alpha if alpha[0] else masks


def _channel(samples: npt.NDArray[np.unsignedinteger], mask: int) -> npt.NDArray[np.uint8]:
    """Return the channel in the bits of ``mask``, scaled to 8 bits."""
    if mask == 0:
        return np.zeros(samples.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    values = (samples & mask) >> shift
    eight: npt.NDArray[np.uint8]
    if most > 255:
        eight = (values >> (most.bit_length() - 8)).astype(np.uint8)
    else:
        eight = (np.arange(most + 1) * 255 // most).astype(np.uint8)[values]
    return eight


def _profile(data: bytes, header: _Header) -> bytes | None:
    """Return the embedded ICC profile, which only a V5 header may have, else ``None``."""
    start = _FILE_HEADER_BYTES
    if header.size < _V5 or data[start + 56 : start + 60] != _EMBEDDED:
        return None
    place, length = struct.unpack_from("<II", data, start + 112)
    return data[start + place : start + place + length]
