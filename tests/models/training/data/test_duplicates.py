"""Tests of duplicates: copies of a picture are detected, other pictures are not."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from catdog_stream.models.pictures import Picture
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.training.data.duplicates import DETAIL, THUMBNAIL, Look, Sameness
from catdog_stream.models.training.labelled import Unreadable, read_picture
from tests.support.pictures import sample_files

SAMPLES = sample_files()


def read(path: Path, size: int = DETAIL) -> Picture | None:
    picture = read_picture(path, Preprocessing(size))
    return None if isinstance(picture, Unreadable) else picture


def look(path: Path) -> Look:
    thumbnail = read(path, THUMBNAIL)
    assert thumbnail is not None
    return Look.of(thumbnail)


def jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


COPIES: dict[str, Callable[[Image.Image], bytes]] = {
    "saved badly": lambda image: jpeg(image, 30),
    "half as large": lambda image: png(image.resize((image.width // 2, image.height // 2))),
    "brighter": lambda image: png(ImageEnhance.Brightness(image).enhance(1.1)),
    "mirrored": lambda image: jpeg(ImageOps.mirror(image), 90),
}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_known(sample: Path, kind: str, tmp_path: Path) -> None:
    with Image.open(sample) as image:
        (tmp_path / "copy").write_bytes(COPIES[kind](image.convert("RGB")))
    same = Sameness(read)
    for other in SAMPLES:
        assert same.find(other, look(other)) is None
    assert same.find(tmp_path / "copy", look(tmp_path / "copy")) == sample


def shape(colour: str, *, circle: bool) -> Image.Image:
    image = Image.new("RGB", (200, 200), "white")
    draw = ImageDraw.Draw(image)
    (draw.ellipse if circle else draw.rectangle)((60, 60, 140, 140), fill=colour)
    return image


def test_what_is_alike_is_not_the_same(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    others = {
        "red": Image.new("RGB", (64, 64), "red"),  # a flat picture has no features to compare
        "also red": Image.new("RGB", (64, 64), (250, 0, 0)),
        "red circle": shape("red", circle=True),
        "blue circle": shape("blue", circle=True),
        "red square": shape("red", circle=False),
        **{
            f"noise {number}": Image.fromarray(random.integers(90, 160, (64, 64, 3), np.uint8))
            for number in range(20)
        },
    }
    same = Sameness(read)
    for name, image in others.items():
        file = tmp_path / f"{name}.png"
        image.save(file)
        assert same.find(file, look(file)) is None, name


def test_many_pictures_are_no_work(tmp_path: Path) -> None:
    """Compare each picture with all before: more than the initial capacity."""
    random = np.random.default_rng(0)
    same = Sameness(lambda _: None)
    thumbnails = random.integers(0, 255, (1500, THUMBNAIL, THUMBNAIL, 3), np.uint8)
    for number, thumbnail in enumerate(thumbnails):
        assert same.find(tmp_path / str(number), Look.of(thumbnail)) is None
