"""ICC profiles for the color spaces that PNG describes by numbers (gAMA and cHRM, cICP)."""

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["CICP_CURVES", "CICP_PRIMARIES", "SRGB_CHROMATICITIES", "Curve", "rgb_profile"]

Curve = Sequence[float]
"""Parameters of a function from a sample x, 0 to 1, to light: ``[g]`` is x ** g;
``[g, a, b, c, d]`` is (ax + b) ** g where x >= d, and cx below (ICC.1:2022, 10.18, types 0, 3)."""

_D65, _C = (0.3127, 0.3290), (0.3101, 0.3162)
#: Chromaticities x and y of white, red, green and blue.
SRGB_CHROMATICITIES = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_SMPTE = (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)

#: Primaries by their numbers in ITU-T H.273, table 2.
CICP_PRIMARIES = {
    1: SRGB_CHROMATICITIES,
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: _SMPTE,
    7: _SMPTE,
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}

_SRGB: Curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
#: Curve of television displays, which is not the inverse of the cameras' curve.
_BT1886: Curve = (2.4,)
#: Curves by their numbers in ITU-T H.273, table 3, without high dynamic range (16, 18).
CICP_CURVES: dict[int, Curve] = {
    **dict.fromkeys((1, 6, 11, 14, 15), _BT1886),
    **{4: (2.2,), 5: (2.8,), 8: (1.0,), 13: _SRGB},
}

_D50 = (0.9642, 1.0, 0.8249)
#: Bradford matrix from XYZ to the responses of the cones, for chromatic adaptation.
_CONES = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_MAX_FIXED = 32767.0


def rgb_profile(chromaticities: Sequence[float], curve: Curve) -> bytes:
    """Return an ICC profile of an RGB color space.

    Args:
        chromaticities: x and y of white, red, green and blue.
        curve: from a sample to light.

    Raises:
        ValueError: the chromaticities define no color space.
    """
    primaries = _adapted(np.asarray(chromaticities, np.float64).reshape(4, 2))
    tags = {f"{name}XYZ": _xyz(color) for name, color in zip("rgb", primaries.T, strict=True)}
    tags |= {"wtpt": _xyz(_D50)} | {f"{name}TRC": _parametric(curve) for name in "rgb"}
    start = 128 + 4 + 12 * len(tags)
    index, body = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        index += struct.pack(">4sII", name.encode(), start + len(body), len(tag))
        body += tag
    size = start + len(body)
    head = struct.pack(">IxxxxI4s4s4s12x4s", size, 0x04200000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    head += bytes(28) + b"".join(map(_fixed, _D50))
    return head.ljust(128, b"\0") + index + body


def _adapted(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return XYZ of red, green and blue in columns, adapted to D50: their sum is D50's white."""
    if not np.all(xy[:, 1] > 0):
        raise ValueError("a chromaticity has no y above 0")
    xyz = np.column_stack([xy[:, 0] / xy[:, 1], np.ones(4), (1 - xy.sum(axis=1)) / xy[:, 1]])
    white, colors = xyz[0], xyz[1:].T
    try:
        primaries = colors * np.linalg.solve(colors, white)
    except np.linalg.LinAlgError as error:
        raise ValueError("the primaries lie on one line") from error
    scale = np.diag((_CONES @ _D50) / (_CONES @ white))
    adapted: npt.NDArray[np.float64] = np.linalg.inv(_CONES) @ scale @ _CONES @ primaries
    if not np.all(np.abs(adapted) < _MAX_FIXED):
        raise ValueError("the primaries lie nearly on one line")
    return adapted


def _xyz(color: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, color))


def _parametric(curve: Curve) -> bytes:
    kind = 0 if len(curve) == 1 else 3
    return b"para" + struct.pack(">4xHxx", kind) + b"".join(map(_fixed, curve))


def _fixed(number: float) -> bytes:
    """Return an s15Fixed16Number."""
    return struct.pack(">i", round(65536 * min(number, _MAX_FIXED)))
