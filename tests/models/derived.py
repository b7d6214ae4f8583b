"""Pictures derived from the samples, the same in every run: crops, mirrors, noise, blends."""

import numpy as np
from PIL import Image

from catdog_stream.models.pictures import Picture
from tests.support.pictures import sample_files


def derived_pictures(count: int, size: int = 299) -> list[Picture]:
    """Return ``count`` pictures, uint8 [size, size, 3]; longer lists begin with shorter ones."""
    random = np.random.default_rng(2015)
    files = sample_files()
    originals = [Image.open(file).convert("RGB") for file in files]
    return [
        _blend(
            _view(originals[index % len(originals)], size, random),
            _view(originals[random.integers(len(originals))], size, random),
            random,
        )
        for index in range(count)
    ]


def _view(image: Image.Image, size: int, random: np.random.Generator) -> Picture:
    """Return a random part of ``image``, perhaps mirrored, lighter or darker, and grainy."""
    width, height = image.size
    share = random.uniform(0.5, 1)
    left, top = random.uniform(0, 1 - share, 2)
    box = (left * width, top * height, (left + share) * width, (top + share) * height)
    part = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box), np.float64)
    if random.random() < 0.5:
        part = part[:, ::-1]
    grain = random.normal(0, random.uniform(0, 12), part.shape)
    return np.clip(part * random.uniform(0.6, 1.3) + grain, 0, 255).astype(np.uint8)


def _blend(first: Picture, second: Picture, random: np.random.Generator) -> Picture:
    """Return mostly ``first``: every other picture has up to half of ``second`` blended in."""
    share = max(0.0, random.uniform(-0.5, 0.5))
    return np.round((1 - share) * first + share * second).astype(np.uint8)
