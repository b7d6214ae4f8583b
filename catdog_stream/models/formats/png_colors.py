"""The color space of a PNG. Precedence, by the standard: cICP, iCCP, sRGB, gAMA with cHRM."""

import struct
import zlib
from collections.abc import Mapping
from contextlib import suppress

from catdog_stream.models.formats.icc import (
    CICP_CURVES,
    CICP_PRIMARIES,
    SRGB_CHROMATICITIES,
    rgb_profile,
)

__all__ = ["COLOR_CHUNKS", "profile"]

COLOR_CHUNKS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
#: Largest decompressed profile, in bytes; printers' profiles have up to 4 MB.
_MAX_PROFILE = 8 * 1024 * 1024
_MAX_NAME = 79
#: Values of gAMA without cHRM that count as sRGB, as in Chromium: 1 / 2.2, and 5 % around it.
_SRGB_GAMMAS = range(43_182, 47_728)
_RENDERING_INTENTS = 4


def profile(chunks: Mapping[bytes, bytes]) -> bytes | None:
    """Return the ICC profile of a PNG's colors; ``None`` for sRGB.

    Args:
        chunks: kind to content, for the intact chunks before the pixels.
    """
    if (named := _named(chunks.get(b"cICP", b""))) is not None:
        return named
    if (embedded := _embedded(chunks.get(b"iCCP", b""))) is not None:
        return embedded
    if len(intent := chunks.get(b"sRGB", b"")) == 1 and intent[0] < _RENDERING_INTENTS:
        return None
    return _measured(chunks.get(b"gAMA", b""), chunks.get(b"cHRM"))


def _named(content: bytes) -> bytes | None:
    """Return the profile that cICP defines by numbers of ITU-T H.273; ``None`` if unknown."""
    if len(content) != 4 or content[2:] != b"\0\1":  # RGB of the full range
        return None
    primaries, curve = CICP_PRIMARIES.get(content[0]), CICP_CURVES.get(content[1])
    return rgb_profile(primaries, curve) if primaries and curve else None


def _embedded(content: bytes) -> bytes | None:
    name, _, packed = content.partition(b"\0")
    if not 1 <= len(name) <= _MAX_NAME or packed[:1] != b"\0":
        return None
    unpacker = zlib.decompressobj()
    with suppress(zlib.error):
        unpacked = unpacker.decompress(packed[1:], _MAX_PROFILE)
        if unpacker.eof and unpacked[36:40] == b"acsp":
            return unpacked
    return None


def _measured(gamma: bytes, chromaticities: bytes | None) -> bytes | None:
    """Return the profile of gAMA and cHRM; ``None`` for cHRM without gAMA."""
    exponent = int.from_bytes(gamma, "big") if len(gamma) == 4 else 0
    if exponent == 0 or (chromaticities is None and exponent in _SRGB_GAMMAS):
        return None
    places = SRGB_CHROMATICITIES
    if chromaticities is not None:
        if len(chromaticities) != 32:
            return None
        places = tuple(number / 100_000 for number in struct.unpack(">8I", chromaticities))
    with suppress(ValueError):
        return rgb_profile(places, [100_000 / exponent])
    return None
