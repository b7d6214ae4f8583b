"""Corruptions of pictures, as cameras, networks and people cause them.

A stack is trained with random amounts and measured with a fixed amount (``Corruption.usual``),
after Hendrycks & Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations", 2019. Turned pictures stand for pictures that lost their EXIF orientation.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageFilter

__all__ = ["CORRUPTIONS", "TURNS", "Corruption", "corrupted"]

TURNS: Mapping[str, Image.Transpose] = MappingProxyType(
    {
        "turned 90": Image.Transpose.ROTATE_90,
        "turned 180": Image.Transpose.ROTATE_180,
        "turned 270": Image.Transpose.ROTATE_270,
    }
)
"""Degrees counter-clockwise."""

_Apply = Callable[[Image.Image, float, np.random.Generator], Image.Image]


@dataclass(frozen=True, slots=True)
class Corruption:
    """A corruption and its amounts."""

    apply: _Apply
    """Function from an RGB picture, an amount and random numbers to a new RGB picture."""
    usual: float
    """Amount for evaluation."""
    low: float
    """Lowest amount for training."""
    high: float
    """Highest amount for training."""


def corrupted(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return an RGB picture with a random corruption of a random amount, in the same size."""
    kind = list(CORRUPTIONS.values())[random.integers(len(CORRUPTIONS))]
    changed = kind.apply(image, random.uniform(kind.low, kind.high), random)
    return changed if changed.size == image.size else changed.resize(image.size)


def _light(image: Image.Image, factor: float, _: np.random.Generator) -> Image.Image:
    """Multiply every value, and clip it at white."""
    return image.point(lambda value: min(255, round(value * factor)))


def _blurred(image: Image.Image, share: float, _: np.random.Generator) -> Image.Image:
    """Blur with a Gaussian whose standard deviation is a share of the shorter side."""
    return image.filter(ImageFilter.GaussianBlur(share * min(image.size)))


def _noisy(image: Image.Image, deviation: float, random: np.random.Generator) -> Image.Image:
    """Add Gaussian noise; the unit of its standard deviation is a level of 0 to 255."""
    pixels = np.asarray(image, np.float32)
    noise = random.standard_normal(pixels.shape, np.float32) * deviation
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def _jpeg(image: Image.Image, quality: float, _: np.random.Generator) -> Image.Image:
    """Compress with a JPEG quality, and decompress."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=round(quality))
    return Image.open(stream).convert("RGB")


def _low_resolution(image: Image.Image, side: float, _: np.random.Generator) -> Image.Image:
    """Shrink the longer side to ``side`` pixels."""
    factor = min(1.0, side / max(image.size))
    width, height = (max(1, round(factor * length)) for length in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _grey(image: Image.Image, _: float, __: np.random.Generator) -> Image.Image:
    return image.convert("L").convert("RGB")


def _small(image: Image.Image, share: float, random: np.random.Generator) -> Image.Image:
    """Shrink the sides to a share, and place the picture randomly on its mean color."""
    width, height = (max(1, round(share * length)) for length in image.size)
    mean = np.asarray(image.resize((1, 1), Image.Resampling.BOX))[0, 0]
    ground = Image.new("RGB", image.size, tuple(int(value) for value in mean))
    left = int(random.integers(image.width - width + 1))
    top = int(random.integers(image.height - height + 1))
    ground.paste(image.resize((width, height), Image.Resampling.BICUBIC), (left, top))
    return ground


def _cut(image: Image.Image, share: float, random: np.random.Generator) -> Image.Image:
    """Keep a share of the width or of the height, at one of the four edges."""
    width, height = image.size
    along = max(1, round(share * width)), max(1, round(share * height))
    box = (
        (0, 0, along[0], height),
        (width - along[0], 0, width, height),
        (0, 0, width, along[1]),
        (0, height - along[1], width, height),
    )[random.integers(4)]
    return image.crop(box)


CORRUPTIONS: Mapping[str, Corruption] = MappingProxyType(
    {
        "dark": Corruption(_light, 0.3, 0.2, 0.7),
        "bright": Corruption(_light, 2.0, 1.4, 2.4),
        "blurred": Corruption(_blurred, 0.0125, 0.005, 0.02),
        "noisy": Corruption(_noisy, 25, 10, 40),
        "JPEG quality 10": Corruption(_jpeg, 10, 5, 30),
        "64 px": Corruption(_low_resolution, 64, 40, 120),
        "grey": Corruption(_grey, 1, 1, 1),
        "quarter of the size": Corruption(_small, 0.25, 0.2, 0.6),
        "cut at the edge": Corruption(_cut, 0.6, 0.5, 0.8),
    }
)
"""Name to corruption."""
