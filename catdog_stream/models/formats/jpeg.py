"""JPEG (ITU-T T.81): the pixels, EXIF's orientation and the ICC profile.

Segments are read here, and Pillow gets those that matter to the pixels. A JPEG whose end is
missing is decoded where every pixel has come, as a progressive one's first scans have all.
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
#: APP1 to APP13, APP15 and comments. APP0 and APP14 state which colors the components are.
_SET_ASIDE = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
_EXIF, _ICC = 0xE1, 0xE2
_EXIF_HEAD, _ICC_HEAD = b"Exif\0", b"ICC_PROFILE\0"

#: A profile of 4 MB is in 64 segments, and a video behind the picture is not looked at.
_MAX_SEGMENTS = 4096
#: Each scan of a progressive JPEG costs a pass over all pixels. Encoders write about ten.
_MAX_SCANS = 64
#: A segment's marker; before it there may be anything else, which decoders skip.
_SEGMENT = re.compile(rb"\xff+([^\xff\x00\x01\xd0-\xd8])")
#: Data of a scan that stands for other pixels than missing data does.
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
    """Yield the kind of each segment up to the end's, and where it starts and ends."""
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
    """Return the profile of APP2's parts, each with its number and the number of all."""
    if not parts:
        return None
    count = max(number[-1:] for number in parts)[0]
    ordered = [parts.get(bytes([number, count])) for number in range(1, count + 1)]
    whole = [part for part in ordered if part is not None]
    return b"".join(whole) if len(whole) == count else None


def _load(plain: bytes, admit: Admit) -> Image.Image:
    # Seldom: these two bytes are in the pixels by chance, or in a video behind the picture.
    if plain.count(b"\xff\xda") > _MAX_SCANS and _scans(plain).count > _MAX_SCANS:
        raise ValueError(f"it has more than {_MAX_SCANS} scans")
    try:
        return load(plain, "JPEG", admit)
    except OSError:
        scans = _scans(plain)
        if scans.are_ended:
            raise
    plain = plain[: scans.end].rstrip(b"\xff")
    # Where data is missing, pixels depend on what is put in its place.
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
    """A file's scans.

    Attributes:
        count: of those that have begun.
        are_coarse: each component has had one that is complete, and no pixel is missing.
        are_ended: the end's marker is there.
        end: bytes up to a segment that is cut off; all of them where there is none.
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
            if plain[first] == 0 and plain[first + 2] >> 4 == 0:  # the first bits of the means
                begun = set(plain[start + 5 : first : 2])
    return _Scans(count, 0 < components == len(complete), kind == _END[1], whole)
