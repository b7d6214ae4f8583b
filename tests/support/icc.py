"""Small color profiles, written by hand (ICC.1:2022), with colors far from those of sRGB."""

import struct
from collections.abc import Sequence

__all__ = ["cmyk", "grey", "lookup_rgb", "matrix_rgb"]

_D50 = (0.9642, 1.0, 0.8249)
#: Primaries of Display P3, adapted to D50.
P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))


def matrix_rgb(primaries: Sequence[Sequence[float]] = P3, gamma: float = 1.8) -> bytes:
    """Return a profile of three primaries, each as XYZ under D50, and a gamma."""
    tags = {f"{name}XYZ": _xyz(color) for name, color in zip("rgb", primaries, strict=True)}
    return _profile("RGB ", "XYZ ", tags | {f"{name}TRC": _curve(gamma) for name in "rgb"})


def grey(gamma: float = 1.0) -> bytes:
    """Return a profile of greys."""
    return _profile("GRAY", "XYZ ", {"kTRC": _curve(gamma)})


def lookup_rgb() -> bytes:
    """Return a profile with a table that exchanges red and blue."""
    lab = [
        (0.1 + 0.2 * b + 0.5 * g + 0.1 * r, 0.5 + 0.12 * (b - g), 0.5 + 0.1 * (g - r))
        for r, g, b in _corners(3)
    ]
    return _profile("RGB ", "Lab ", {"A2B0": _table(3, lab)})


def cmyk() -> bytes:
    """Return a profile of four inks that are paler than usual ones."""
    lab = [
        (0.95 - 0.5 * k - 0.1 * (c + m + y), 0.5 + 0.12 * (m - c), 0.5 + 0.12 * (y - c))
        for c, m, y, k in _corners(4)
    ]
    return _profile("CMYK", "Lab ", {"A2B0": _table(4, lab)})


def _corners(inputs: int) -> list[tuple[int, ...]]:
    return [
        tuple(number >> (inputs - 1 - place) & 1 for place in range(inputs))
        for number in range(2**inputs)
    ]


def _table(inputs: int, lab: Sequence[Sequence[float]]) -> bytes:
    """Return a lut8Type with a grid of two points a side and curves that change no value."""
    head = b"mft1" + bytes(4) + bytes([inputs, 3, 2, 0])
    matrix = struct.pack(">9i", *(65536 if place % 4 == 0 else 0 for place in range(9)))
    curve = bytes(range(256))
    grid = bytes(min(255, max(0, round(255 * part))) for color in lab for part in color)
    return head + matrix + curve * inputs + grid + curve * 3


def _xyz(color: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * part) for part in color))


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IHH", 1, round(256 * gamma), 0)


def _profile(space: str, connection: str, tags: dict[str, bytes]) -> bytes:
    tags = {"wtpt": _xyz(_D50), **tags}
    start = 128 + 4 + 12 * len(tags)
    table, data = b"", b""
    for name, tag in tags.items():
        table += name.encode() + struct.pack(">II", start + len(data), len(tag))
        data += tag + bytes(-len(tag) % 4)
    kind = b"prtr" if space == "CMYK" else b"mntr"
    head = struct.pack(
        ">I4sI4s4s4s12s4s", start + len(data), b"", 0x02400000, kind, space.encode(),
        connection.encode(), bytes(12), b"acsp",
    )  # fmt: skip
    head += bytes(28) + struct.pack(">3i", *(round(65536 * part) for part in _D50))
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + data
