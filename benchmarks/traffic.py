"""Requests for long runs: many different pictures, and sometimes a bad one."""

import io
import random
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from tests.support.client import request

_SAMPLES = Path(__file__).parents[1] / "samples"
_SIDES = range(200, 500)
_FORMATS = ("JPEG", "JPEG", "JPEG", "WEBP", "PNG")
_BAD_EVERY = 20


def variations(count: int, generator: random.Random) -> list[bytes]:
    """Return picture files: the samples cropped, turned, mirrored, brightened and resized."""
    samples = [Image.open(path).convert("RGB") for path in sorted(_SAMPLES.glob("*.[jp][pn]g"))]
    return [_variation(samples[number % len(samples)], generator) for number in range(count)]


def _variation(sample: Image.Image, generator: random.Random) -> bytes:
    width, height = sample.size
    left, top = (generator.uniform(0, 0.15) for _ in range(2))
    right, bottom = (generator.uniform(0.85, 1) for _ in range(2))
    box = (int(left * width), int(top * height), int(right * width), int(bottom * height))
    picture = sample.crop(box).rotate(generator.uniform(-10, 10), Image.Resampling.BILINEAR)
    if generator.random() < 0.5:
        picture = ImageOps.mirror(picture)
    picture = ImageEnhance.Brightness(picture).enhance(generator.uniform(0.7, 1.3))
    picture = picture.resize((generator.choice(_SIDES), generator.choice(_SIDES)))
    file = io.BytesIO()
    picture.save(file, generator.choice(_FORMATS))
    return file.getvalue()


def requests(pictures: Sequence[bytes], generator: random.Random) -> Iterator[bytes]:
    """Yield values for ``catdogimage`` without end; one in twenty is bad."""
    for number in count():
        picture = generator.choice(pictures)
        yield _bad(picture, generator) if number % _BAD_EVERY == 7 else request(picture)


def _bad(picture: bytes, generator: random.Random) -> bytes:
    return generator.choice(
        [
            b"not JSON",
            b'{"url": "x"}',
            b'{"url": "x", "data": "a*b"}',
            request(b"no picture"),
            request(picture[: len(picture) // 2]),
        ]
    )
