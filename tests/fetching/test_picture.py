"""Tests of the small picture: its pixels, and files that cannot become a picture."""

import importlib.util
import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features

from catdog_stream.errors import FetchError
from catdog_stream.fetching.picture import small_png
from catdog_stream.models.pictures import PictureLimits, decode
from catdog_stream.models.preprocessing import Preprocessing
from tests.support import icc
from tests.support.pictures import HEIC

# The module that reads pictures silences Pillow's warnings in workers, and pytest enables them
# again.
pytestmark = pytest.mark.filterwarnings("ignore")

LIMITS = PictureLimits()
RED, BLUE = (220, 30, 20), (30, 40, 210)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def halves(size: tuple[int, int] = (600, 400)) -> Image.Image:
    """Return a picture that is red on the left and blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image


def small(data: bytes, limits: PictureLimits = LIMITS) -> Image.Image:
    png = small_png(data, limits)
    assert decode(png, Preprocessing(48), LIMITS).shape == (48, 48, 3)
    image = Image.open(io.BytesIO(png))
    image.load()
    assert image.format == "PNG"
    assert max(image.size) <= 299
    assert not image.info.keys() - {"transparency"}
    return image


def refusal(data: bytes, limits: PictureLimits = LIMITS) -> str:
    with pytest.raises(FetchError) as refused:
        small_png(data, limits)
    return refused.value.message


def is_near(pixel: object, colour: tuple[int, ...]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(one - other) < 16 for one, other in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_every_format_that_is_read(kind: str) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("Pillow was built without AVIF")
    image = small(saved(halves(), kind))
    assert (image.mode, image.size) == ("RGB", (299, 199))
    assert is_near(image.getpixel((10, 100)), RED)
    assert is_near(image.getpixel((288, 100)), BLUE)


@pytest.mark.parametrize(
    "compression", ["raw", "packbits", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "tiff_deflate"]
)
def test_tiff_in_the_usual_compressions(compression: str) -> None:
    assert small(saved(halves(), "TIFF", compression=compression)).size == (299, 199)


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_tiff_of_fax_machines_is_not_read(compression: str) -> None:
    # libtiff reports each damaged line of such files on the worker's own standard error.
    assert refusal(saved(halves().convert("1"), "TIFF", compression=compression)) == (
        "The TIFF picture is compressed in a way that is not read."
    )


def test_a_picture_that_speaks_of_another_format_is_what_it_is() -> None:
    assert small(saved(halves(), "JPEG", comment=b"<svg")).size == (299, 199)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_of_a_million_strips_is_not_even_opened(order: str) -> None:
    def strips(count: int) -> bytes:
        """Return a file of ``count`` strips of one pixel each, all at the same place."""
        tags = [(256, 1), (257, count), (258, 8), (259, 1), (262, 1), (277, 1), (278, 1)]
        start = 8 + 2 + 12 * (len(tags) + 2) + 4
        head = b"II*\0" if order == "<" else b"MM\0*"
        return b"".join(
            (
                head,
                struct.pack(order + "IH", 8, len(tags) + 2),
                *(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in tags),
                *(struct.pack(order + "HHII", tag, 3, count, start) for tag in (273, 279)),
                bytes(4),
                struct.pack(order + "H", 8) * count,
            )
        )

    assert small(strips(10_000)).size == (1, 299)
    assert refusal(strips(1_000_000)) == "The TIFF picture has more than 16384 parts."


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "I;16", "F", "I"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    grey = halves().convert("L")
    image = grey.convert("I").convert("I;16") if mode == "I;16" else grey.convert(mode)
    if mode in ("1", "L", "CMYK", "YCbCr", "P", "RGB"):
        image = halves().convert(mode)
    # Pillow before 13 does not read uncompressed YCbCr.
    compression = "tiff_lzw" if mode == "YCbCr" else "raw"
    assert small(saved(image, "TIFF", compression=compression)).mode == "RGB"


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "LA"), ("PNG", "RGBA"), ("TIFF", "LA"), ("TIFF", "RGBA"), ("GIF", "RGBA")],
)
def test_what_is_transparent_stays_so(kind: str, mode: str) -> None:
    image = Image.new("RGBA", (400, 300), (*RED, 0))
    image.paste((*BLUE, 255), (200, 0, 400, 300))
    shown = small(saved(image.convert(mode), kind))
    assert shown.mode == "RGBA"
    assert shown.getchannel("A").getextrema() == (0, 255)


@pytest.mark.parametrize(
    ("size", "result"),
    [
        ((1, 1), (1, 1)),
        ((299, 299), (299, 299)),
        ((300, 300), (299, 299)),
        ((10, 299), (10, 299)),
        ((10_000, 1), (299, 1)),
        ((1000, 3000), (100, 299)),
    ],
)
def test_a_picture_keeps_its_proportions_and_is_never_made_larger(
    size: tuple[int, int], result: tuple[int, int]
) -> None:
    assert small(saved(Image.new("RGB", size), "PNG")).size == result


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "AVIF", "TIFF"])
def test_a_phones_picture_is_put_upright(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees, clockwise
    image = small(saved(halves(), kind, exif=exif))
    assert image.size == (199, 299)
    assert is_near(image.getpixel((100, 10)), RED)
    assert is_near(image.getpixel((100, 288)), BLUE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_colors_become_those_of_srgb(kind: str) -> None:
    grey = Image.new("RGB", (50, 50), (85, 85, 85))
    image = small(saved(grey, kind, icc_profile=icc.matrix_rgb(gamma=1.0)))
    pixel = image.getpixel((25, 25))
    assert isinstance(pixel, tuple)
    assert all(abs(part - 156) < 5 for part in pixel)


def test_nothing_but_the_pixels_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    png = small_png(
        saved(halves((50, 50)), "PNG", exif=exif, icc_profile=b"my profile", dpi=(99, 99)), LIMITS
    )
    assert b"where I live" not in png
    assert b"eXIf" not in png
    assert b"iCCP" not in png


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "What the address gave is not a picture."),
        (b"<html>", "What the address gave is not a picture."),
        (b"%PDF-1.7", "The picture is in the format PDF, which is not read."),
        (b"<svg xmlns='x'/>", "The picture is in the format SVG, which is not read."),
        (b"8BPS\0\1", "The picture is in the format Photoshop, which is not read."),
        (b"II*\0", "The TIFF picture is damaged: its header cannot be read."),
        (b"\x89PNG\r\n\x1a\n", "The PNG picture is damaged: its header cannot be read."),
    ],
)
def test_what_is_no_picture_has_its_sentence(data: bytes, sentence: str) -> None:
    assert refusal(data) == sentence


def test_heic_is_read_where_its_plugin_is_installed() -> None:
    if importlib.util.find_spec("pi_heif") or importlib.util.find_spec("pillow_heif"):
        image = small(HEIC)
        assert (image.mode, image.size) == ("RGB", (64, 64))
        assert is_near(image.getpixel((16, 32)), RED)
        assert is_near(image.getpixel((48, 32)), BLUE)
        assert refusal(HEIC[:100]).startswith("The HEIF picture is damaged")
    else:
        assert refusal(HEIC) == (
            "The picture is in the format HEIC or MP4, which is not read here: whoever runs the "
            "worker can install catdog-stream[heic]. Send it as a JPEG."
        )


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "AVIF", "WEBP", "JPEG"])
def test_too_many_pixels_are_not_decoded(kind: str) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("Pillow was built without AVIF")
    data = saved(halves((60, 40)), kind)
    assert refusal(data, PictureLimits(max_pixels=2399)) == (
        "The picture has 60 x 40 pixels, 2399 are allowed."
    )
    assert small(data, PictureLimits(max_pixels=2400)).size == (60, 40)


WHOLE = [saved(halves((60, 40)), kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")]


@given(st.sampled_from(WHOLE), st.data())
def test_a_damaged_picture_is_one_or_is_refused(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole[: data.draw(st.integers(1, len(whole)))])
    for _ in range(data.draw(st.integers(0, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        small_png(bytes(damaged), PictureLimits(max_pixels=1_000_000))
    except FetchError as error:
        assert error.message.endswith(".")  # noqa: PT017, either is right
        assert "\n" not in error.message  # noqa: PT017
