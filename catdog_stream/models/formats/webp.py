"""Reader of WebP (RFC 9649): the pixels and the ICC profile. Browsers ignore its orientation."""

import struct
from collections.abc import Iterator

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.models.formats.decoded import Admit, Decoded, load

__all__ = ["read_webp"]

_HEAD_BYTES = 12
_ANIMATED, _HAS_PROFILE, _HAS_EXIF_OR_XMP = 0x02, 0x20, 0x0C
#: Chunks with pixels: a picture, or the first frame of an animation. Reading stops after the first.
_IMAGES = (b"VP8 ", b"VP8L", b"ANMF")
_KEPT = (b"VP8X", b"ANIM", b"ALPH", *_IMAGES)


def read_webp(data: bytes, admit: Admit) -> Decoded:
    """Decode a WebP. Raises ``RejectedRequest``, or any exception for a damaged file."""
    admit(_size(data))  # Pillow allocates the whole canvas in Image.open
    flags, profile, kept = 0, None, list[bytes]()
    for kind, content in _chunks(data):
        if kind == b"VP8X" and len(content) == 10:
            flags = content[0]
            content = bytes([flags & ~(_HAS_PROFILE | _HAS_EXIF_OR_XMP)]) + content[1:]
        elif kind == b"ICCP":
            profile = profile or content
        if kind in _KEPT:
            kept += [kind, struct.pack("<I", len(content)), content, bytes(len(content) % 2)]
        if kind in _IMAGES:
            break
    body = b"".join([b"WEBP", *kept])
    image = load(b"RIFF" + struct.pack("<I", len(body)) + body, "WEBP", admit)
    # Chromium ignores the profile of an animation.
    has_profile = flags & (_HAS_PROFILE | _ANIMATED) == _HAS_PROFILE
    return Decoded(image, profile=profile if has_profile else None)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each complete chunk; RIFF may state more bytes than there are."""
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    start = _HEAD_BYTES
    while start + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, start)
        if start + 8 + length > end:
            return
        yield kind, data[start + 8 : start + 8 + length]
        start += 8 + length + length % 2


def _size(data: bytes) -> tuple[int, int]:
    """Return width and height of a WebP (RFC 9649, sections 2.5 to 2.7)."""
    chunk = data[12:16]
    if chunk == b"VP8X" and len(data) >= 30:
        width, height = data[24:27], data[27:30]
        return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    if chunk == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise RejectedRequest(Reason.DAMAGED_IMAGE, "The WebP picture has no readable header.")
