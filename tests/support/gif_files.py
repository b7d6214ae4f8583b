"""GIF files whose frames differ from the screen in size."""

import io
import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["gif_files"]

_COLORS = bytes(
    part for n in range(8) for part in (n * 37 % 256, (n * 91 + 40) % 256, 255 - n * 53 % 256)
)


def gif_files(rgb: npt.NDArray[np.uint8]) -> Iterator[tuple[str, bytes]]:
    """Yield names and files."""
    side = len(rgb)
    image = Image.fromarray(rgb)
    yield "gif", _saved(image)
    yield "gif transparent", _saved(image.quantize(8), transparency=3)
    later = [Image.new("RGB", image.size, "lime")]
    yield "gif animated", _saved(image, save_all=True, append_images=later, duration=5000)
    rows, columns = np.mgrid[0:side, 0:side]
    indices = ((columns // 2 + rows) % 8).astype(np.uint8)
    screen = (side, side)
    yield "gif with data behind", _gif(screen, (0, 0), indices) + b"x" * 99
    yield "gif without a trailer", _gif(screen, (0, 0), indices)[:-1]
    yield "gif of a small frame", _gif(screen, (4, 4), indices[:8, :8])
    yield "gif of a small frame, transparent", _gif(screen, (4, 4), indices[:8, :8], transparent=3)
    yield "gif of a frame beyond the screen", _gif((8, 8), (0, 0), indices)
    yield "gif of a frame that reaches out", _gif(screen, (8, 8), indices)
    yield "gif of a screen of no size", _gif((0, 0), (0, 0), indices)
    yield "gif of the first version, transparent", _gif(screen, (0, 0), indices, transparent=3)


def _saved(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "GIF", **options)
    return file.getvalue()


def _gif(
    screen: tuple[int, int],
    corner: tuple[int, int],
    indices: npt.NDArray[np.uint8],
    transparent: int | None = None,
) -> bytes:
    image = Image.fromarray(indices, "P")
    image.putpalette(_COLORS)
    file = _saved(image, optimize=False)
    descriptor = file.index(b",", 13)
    flags = file[descriptor + 9]
    pixels = descriptor + 10 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)
    control = b"" if transparent is None else b"!\xf9\4" + bytes([1, 0, 0, transparent, 0])
    height, width = indices.shape
    return b"".join(
        [
            b"GIF89a" if transparent is None else b"GIF87a",
            struct.pack("<HHBBB", *screen, 0x82, 2, 0),
            _COLORS,
            control,
            struct.pack("<cHHHHB", b",", *corner, width, height, 0),
            file[pixels:],
        ]
    )
