"""Folders of small pictures that differ."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

#: Width of each class's stripes, in pixels.
CLASSES = {"broad": 12, "fine": 3, "middle": 6}


def picture(stripes: int, number: int, side: int = 48) -> Image.Image:
    """Return stripes and some dots of random colours, the same for the same number."""
    random = np.random.default_rng((stripes, number))
    pixels = np.empty((side, side, 3))
    phase = random.integers(stripes * 2)
    lines = (np.arange(side) + phase) // stripes % 2
    pixels[:] = np.where(lines[:, np.newaxis, np.newaxis], *random.integers(0, 256, (2, 3)))
    for _ in range(6):
        x, y = random.integers(0, side - 10, 2)
        pixels[y : y + 10, x : x + 10] = random.integers(0, 256, 3)
    return Image.fromarray(pixels.astype(np.uint8))


def fill(folder: Path, count: int, *, first: int = 0, classes: Mapping[str, int] = CLASSES) -> Path:
    """Write ``count`` pictures of each class, from the number ``first`` on."""
    for name, stripes in classes.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            picture(stripes, number).save(folder / name / f"{number:03}.png")
    return folder
