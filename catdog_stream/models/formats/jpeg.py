"""Reader of JPEG (ITU-T T.81): the pixels, EXIF's orientation and the ICC profile.

This module parses the segments, and Pillow gets only those that the pixels need. A truncated JPEG
is decoded if no pixel is missing; the first scans of a progressive JPEG have every pixel.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PIL import Image

from catdog_stream.models.formats import exif
from catdog_stream.models.formats.decoded import Admit, Decoded, load

__all__ = ["read_jpeg"]

_START, _END = b"\xff\xd8", b"\xff\xd9"
_SCAN = 0xDA
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
#: APP1 to APP13, APP15 and comments. APP0 and APP14 are kept: they define the color components.
_SET_ASIDE = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
_EXIF, _ICC = 0xE1, 0xE2
_EXIF_HEAD, _ICC_HEAD = b"Exif\0", b"ICC_PROFILE\0"

#: A profile of 4 MB takes 64 segments. A video that follows the picture is not parsed.
_MAX_SEGMENTS = 4096
#: Each scan of a progressive JPEG costs a pass over all pixels. Encoders write about ten.
_MAX_SCANS = 64
#: The marker of a segment. Decoders skip any other bytes before the marker.
_SEGMENT = re.compile(rb"\xff+([^\xff\x00\x01\xd0-\xd8])")
#: Scan data that decodes to other pixels than missing data does.
_FILLER = bytes(range(1, 255)) * 4


def read_jpeg(data: bytes, admit: Admit) -> Decoded:
    """Decode a JPEG. Raises ``RejectedRequest``, or any exception for a damaged file."""
    kept, parts, orientation = [_START], dict[bytes, bytes](), 0
    for kind, start, end in _segments(data):
        if kind == _SCAN:
            kept.append(data[start:])
            break
        if kind not in _SET_ASIDE:
            kept.append(data[start:end])
        elif kind == _EXIF and not orientation and data.startswith(_EXIF_HEAD, start + 4):
            orientation = exif.orientation(data[start + 10 : end])
        elif kind == _ICC and data.startswith(_ICC_HEAD, start + 4):
            parts.setdefault(data[start + 16 : start + 18], data[start + 18 : end])
    else:
        raise ValueError("it has no pixels")
    return Decoded(_load(b"".join(kept), admit), orientation or 1, _joined(parts))


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the kind, start and end of each segment, up to and including the end marker."""
    end = len(_START)
    for _ in range(_MAX_SEGMENTS):
        if (marker := _SEGMENT.search(data, end)) is None:
            return
        kind, start, end = marker[1][0], marker.end() - 2, marker.end()
        if kind != _END[1]:
            end += max(2, int.from_bytes(data[end : end + 2], "big"))
        yield kind, start, end
        if kind == _END[1]:
            return
    raise ValueError(f"it has more than {_MAX_SEGMENTS} segments")


def _joined(parts: Mapping[bytes, bytes]) -> bytes | None:
    """Return the profile joined from APP2's parts, or ``None`` if a part is missing.

    Args:
        parts: two bytes (number of the part, number of parts) to the content of the part.
    """
    if not parts:
        return None
    count = max(number[-1:] for number in parts)[0]
    ordered = [parts.get(bytes([number, count])) for number in range(1, count + 1)]
    whole = [part for part in ordered if part is not None]
    return b"".join(whole) if len(whole) == count else None


def _load(plain: bytes, admit: Admit) -> Image.Image:
    # The count is cheap but may be too high, since these two bytes may occur in the pixels or in a
    # video behind the picture. Only then are the scans parsed.
    if plain.count(b"\xff\xda") > _MAX_SCANS and _scans(plain).count > _MAX_SCANS:
        raise ValueError(f"it has more than {_MAX_SCANS} scans")
    try:
        return load(plain, "JPEG", admit)
    except OSError:
        scans = _scans(plain)
        if scans.are_ended:
            raise
    plain = plain[: scans.end].rstrip(b"\xff")
    # If data is missing, the pixels depend on the bytes that replace it.
    if not scans.are_coarse and _blocks(plain, admit) != _blocks(plain + _FILLER, admit):
        raise ValueError("its last rows are missing")
    return load(plain + _END, "JPEG", admit)


def _blocks(plain: bytes, admit: Admit) -> bytes:
    """Decode one pixel for each block of 8 x 8, in a fraction of the time and memory."""

    def make_small(image: Image.Image) -> None:
        image.draft(None, (1, 1))

    return load(plain + _END, "JPEG", admit, make_small).tobytes()


@dataclass(frozen=True, slots=True)
class _Scans:
    """The scans of a JPEG.

    Attributes:
        count: number of scans that have begun.
        are_coarse: each component has a complete scan, so no pixel is missing.
        are_ended: the end marker is present.
        end: number of bytes before a truncated segment, or of all bytes if none is truncated.
    """

    count: int
    are_coarse: bool
    are_ended: bool
    end: int


def _scans(plain: bytes) -> _Scans:
    count, components, complete, begun, kind = 0, 0, set[int](), set[int](), 0
    whole = len(plain)
    for kind, start, end in _segments(plain):
        complete |= begun
        begun = set()
        if end > len(plain):
            whole = start
            break
        if kind in _FRAMES:
            components = plain[start + 9]
        elif kind == _SCAN:
            count += 1
            first = start + 5 + 2 * plain[start + 4]
            # This scan has the first bits of the DC coefficients.
            if plain[first] == 0 and plain[first + 2] >> 4 == 0:
                begun = set(plain[start + 5 : first : 2])
    return _Scans(count, 0 < components == len(complete), kind == _END[1], whole)
