"""Tests of decoding: every format and mode that clients send, and every kind of damage."""

import io
import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from catdog_stream.errors import RejectedRequest
from catdog_stream.models import color_profiles
from catdog_stream.models.pictures import Picture, PictureLimits, decode
from catdog_stream.models.preprocessing import Preprocessing
from tests.support import icc
from tests.support.bmp_files import bmp
from tests.support.png_files import chunk, png

SIZE = 48
LIMITS = PictureLimits()
RED, GREEN, BLUE = (220, 30, 20), (20, 200, 40), (30, 40, 210)


def read(data: bytes, limits: PictureLimits = LIMITS) -> Picture:
    return decode(data, Preprocessing(SIZE), limits)


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def halves(size: tuple[int, int] = (120, 90)) -> Image.Image:
    """Return a picture that is red on the left and blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image


def reason(data: bytes, limits: PictureLimits = LIMITS) -> str:
    with pytest.raises(RejectedRequest) as rejected:
        read(data, limits)
    assert rejected.value.detail.endswith(".")
    assert "\n" not in rejected.value.detail
    return rejected.value.reason


def assert_halves(picture: Picture, tolerance: int = 12) -> None:
    assert picture.shape == (SIZE, SIZE, 3)
    assert picture.dtype == np.uint8
    quarter, middle = SIZE // 4, SIZE // 2
    np.testing.assert_allclose(picture[middle, quarter], RED, atol=tolerance)
    np.testing.assert_allclose(picture[middle, -quarter], BLUE, atol=tolerance)


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 95}),
        ("GIF", {}),
        ("BMP", {}),
    ],
)
def test_the_five_formats_are_read(file_format: str, options: dict[str, Any]) -> None:
    assert_halves(read(saved(halves(), file_format, **options)))


@pytest.mark.parametrize(
    ("file_format", "mode"),
    [
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("WEBP", "RGBA"),
        ("GIF", "P"),
        ("BMP", "P"),
        ("BMP", "RGBA"),
        ("JPEG", "CMYK"),
    ],
)
def test_colour_modes_are_read(file_format: str, mode: str) -> None:
    assert_halves(read(saved(halves().convert(mode), file_format)), tolerance=40)


@pytest.mark.parametrize(
    ("file_format", "mode"),
    [("PNG", "1"), ("PNG", "L"), ("PNG", "LA"), ("BMP", "1"), ("BMP", "L"), ("JPEG", "L")],
)
def test_grey_modes_are_read_as_grey(file_format: str, mode: str) -> None:
    image = Image.new("L", (60, 60), 0)
    image.paste(255, (30, 0, 60, 60))
    picture = read(saved(image.convert(mode), file_format))
    assert picture[24, 4].tolist() == [0, 0, 0]
    assert picture[24, -4].tolist() == [255, 255, 255]


def test_sixteen_bit_greys_keep_their_upper_eight_bits() -> None:
    deep = np.full((20, 20), 0x80FF, np.uint16)
    assert np.all(read(saved(Image.fromarray(deep), "PNG")) == 0x80)


def test_an_opaque_alpha_channel_changes_nothing() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (70, 90, 3), np.uint8)
    opaque = np.dstack([pixels, np.full((70, 90), 255, np.uint8)])
    plain = read(saved(Image.fromarray(pixels), "PNG"))
    np.testing.assert_array_equal(read(saved(Image.fromarray(opaque), "PNG")), plain)


def test_transparent_parts_become_white() -> None:
    image = halves().convert("RGBA")
    image.paste((0, 0, 0, 0), (60, 0, 120, 90))
    assert read(saved(image, "PNG"))[SIZE // 2, -4].tolist() == [255, 255, 255]


def test_a_transparent_palette_colour_becomes_white() -> None:
    image = Image.new("P", (40, 40), 1)
    image.putpalette([0, 0, 0, *RED])
    assert np.all(read(saved(image, "PNG", transparency=1)) == 255)
    assert np.all(read(saved(image, "GIF", transparency=1)) == 255)


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_read(file_format: str) -> None:
    later = [Image.new("RGB", (120, 90), GREEN)] * 3
    options: dict[str, Any] = {"lossless": True} if file_format == "WEBP" else {}
    data = saved(halves(), file_format, save_all=True, append_images=later, **options)
    assert_halves(read(data))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_puts_a_picture_upright(orientation: int) -> None:
    upright = halves()
    turn = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    image = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert_halves(read(saved(image, "JPEG", quality=95, exif=exif)))


def test_broken_exif_does_not_spoil_a_picture() -> None:
    assert_halves(read(saved(halves(), "JPEG", quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff")))


def test_the_caps_are_inclusive() -> None:
    data = saved(halves((30, 20)), "PNG")
    read(data, PictureLimits(max_bytes=len(data), max_pixels=600))
    assert reason(data, PictureLimits(max_bytes=len(data) - 1)) == "too_large"
    assert reason(data, PictureLimits(max_pixels=599)) == "too_many_pixels"


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT"


@pytest.mark.parametrize(
    "data",
    [
        png_header(65_535, 65_535),
        b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b"," + bytes(10),
        b"BM" + struct.pack("<IIIIiiHHIIIIII", 99, 0, 54, 40, 65_535, 65_535, 1, 24, *[0] * 6),
        b"RIFF\xff\xff\0\0WEBPVP8X" + struct.pack("<II", 10, 0) + b"\xff\x3f\0\xff\x3f\0",
        b"RIFF\xff\xff\0\0WEBPVP8L" + struct.pack("<IBI", 10, 0x2F, 0xFFF_FFFF),
        b"RIFF\xff\xff\0\0WEBPVP8 " + struct.pack("<I", 9) + bytes(6) + b"\xff\x3f\xff\x3f",
        saved(Image.new("L", (8, 8)), "JPEG").replace(b"\x08\0\x08\0\x08", b"\x08\xff\xff\xff\xff"),
    ],
    ids=["png", "gif", "bmp", "webp-extended", "webp-lossless", "webp-lossy", "jpeg"],
)
def test_a_header_that_promises_too_many_pixels_is_believed(data: bytes) -> None:
    assert reason(data) == "too_many_pixels"


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_truncated_picture_is_rejected_wherever_it_ends(file_format: str) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)
    data = saved(Image.fromarray(noise), file_format)
    for length in range(20, len(data) // 2, 97):
        assert reason(data[:length]) in {"damaged_image", "not_an_image"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "not_an_image"),
        (b"Dear sir or madam", "not_an_image"),
        (b"BMW and other cars", "not_an_image"),
        (bytes(10_000), "not_an_image"),
        (saved(halves(), "TIFF"), "unsupported_format"),
        (saved(halves(), "PDF"), "unsupported_format"),
        (saved(halves(), "AVIF"), "unsupported_format"),
        (saved(halves(), "JPEG2000"), "unsupported_format"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format"),
        (b"\xff\xd8\xff", "damaged_image"),
        (b"RIFF\0\0\0\0WEBP", "damaged_image"),
    ],
)
def test_what_is_no_picture_of_ours_is_told_apart(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_a_jpeg_of_endless_scans_is_rejected() -> None:
    data = saved(halves(), "JPEG", progressive=True)
    last_scan = data[data.rindex(b"\xff\xda") : -2]
    assert reason(data[:-2] + last_scan * 300 + data[-2:]) == "damaged_image"


def test_a_jpeg_of_endless_exif_segments_is_rejected() -> None:
    data = saved(halves(), "JPEG")
    segment = b"\xff\xe1\0\x12Exif\0\0II*\0\x08\0\0\0\0\0"
    assert reason(data[:2] + segment * 50_000 + data[2:]) == "damaged_image"
    assert_halves(read(data[:2] + segment * 1_000 + data[2:]), tolerance=20)


def test_a_png_of_endless_chunks_is_rejected() -> None:
    data = saved(halves(), "PNG")
    assert reason(data[:33] + chunk(b"tEXt", b"") * 300_000 + data[33:]) == "damaged_image"


def test_a_png_text_bomb_is_not_unpacked() -> None:
    bomb = chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(50_000_000)))
    data = saved(halves(), "PNG")
    assert_halves(read(data[:33] + bomb + data[33:]))


@pytest.mark.parametrize(("interlaced", "height"), [(0, 9), (0, 8), (1, 9), (1, 8), (1, 1)])
def test_a_png_is_rejected_where_its_last_row_is_missing(interlaced: int, height: int) -> None:
    """Check black pictures, too: Pillow leaves missing rows black."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 7, height, 8, 2, 0, 0, interlaced))
    sizes = [(7, height)]
    if interlaced:  # width and height of each pass
        sizes = [(1, -(-height // 8)), (1, -(-height // 8)), (2, -(-(height - 4) // 8))]
        sizes += [(2, -(-height // 4)), (4, -(-(height - 2) // 4)), (3, -(-height // 2))]
        sizes += [(7, height // 2)]
    rows = b"".join((b"\0" + bytes(3 * columns)) * max(0, count) for columns, count in sizes)

    def file(pixels: bytes) -> bytes:
        packed = chunk(b"IDAT", zlib.compress(pixels))
        return b"\x89PNG\r\n\x1a\n" + header + packed + chunk(b"IEND", b"")

    assert np.all(read(file(rows)) == 0)
    last = next(columns for columns, count in reversed(sizes) if count > 0)
    assert reason(file(rows[: -(1 + 3 * last)])) == "damaged_image"


def test_a_large_picture_may_be_opened_more_than_once() -> None:
    # The transparent color has 16 bits, and Pillow decodes 8 at a time.
    samples = np.zeros((2100, 2000, 3), np.uint16)
    samples[:, 1000:] = 0x1234
    data = png(samples, 16, 2, [(b"tRNS", bytes(6))])
    picture = read(data, PictureLimits(max_bytes=len(data)))
    assert picture[24, 4].tolist() == [255, 255, 255]
    assert picture[24, -4].tolist() == [0x12, 0x12, 0x12]


class TestAnEndThatIsMissing:
    """Truncated JPEG files: a file is accepted if it has every pixel."""

    @pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
    def test_only_the_marker(self, options: dict[str, Any]) -> None:
        data = saved(halves(), "JPEG", quality=95, **options)
        for missing in (1, 2):
            np.testing.assert_array_equal(read(data[:-missing]), read(data))

    def test_rows(self) -> None:
        noise = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)
        data = saved(Image.fromarray(noise), "JPEG")
        for missing in range(20, len(data) // 2, 97):
            assert reason(data[:-missing]) == "damaged_image"

    def test_bits_of_all_pixels(self) -> None:
        data = saved(halves(), "JPEG", quality=95, progressive=True)
        scans = [place for place in range(len(data)) if data[place : place + 2] == b"\xff\xda"]
        assert_halves(read(data[: scans[-1]]), tolerance=40)
        assert_halves(read(data[: scans[-1] + 5]), tolerance=40)
        assert reason(data[: scans[0] + 20]) == "damaged_image"


def test_a_bmp_whose_alpha_is_zero_everywhere_is_opaque() -> None:
    pixels = np.dstack([np.full((4, 8, 3), (20, 30, 220), np.uint8), np.zeros((4, 8), np.uint8)])
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    assert np.all(read(bmp(pixels, 32, 3, masks, 124)) == (220, 30, 20))


def test_ink_is_converted_by_its_profile_black_too() -> None:
    black = saved(Image.new("CMYK", (16, 16), (0, 0, 0, 255)), "JPEG", icc_profile=icc.cmyk())
    assert np.all(np.abs(read(black).astype(int) - 107) < 4)  # the lightness is 45


def test_profiles_are_kept_once_and_not_for_ever() -> None:
    for gamma in np.linspace(1, 3, 40):
        read(saved(halves(), "PNG", icc_profile=icc.matrix_rgb(gamma=float(gamma))))
    assert len(color_profiles._transforms) <= 16


def test_warnings_of_pillow_do_not_reach_the_log() -> None:
    program = (
        "import io, sys, warnings; warnings.simplefilter('always')\n"
        "from catdog_stream.errors import RejectedRequest\n"
        "from catdog_stream.models.pictures import PictureLimits, decode\n"
        "from catdog_stream.models.preprocessing import Preprocessing\n"
        "for data in (sys.argv[1], sys.argv[2]):\n"
        "    try: decode(bytes.fromhex(data), Preprocessing(32), PictureLimits())\n"
        "    except RejectedRequest: pass\n"
    )
    broken_exif = saved(halves((40, 30)), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01")
    command = [sys.executable, "-c", program, png_header(12_000, 12_000).hex(), broken_exif.hex()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""


VALID = [
    saved(halves((40, 30)), "PNG"),
    saved(halves((40, 30)).convert("P"), "PNG"),
    saved(halves((40, 30)), "JPEG"),
    saved(halves((40, 30)), "JPEG", progressive=True),
    saved(halves((40, 30)), "WEBP"),
    saved(halves((40, 30)).convert("RGBA"), "WEBP", lossless=True),
    saved(halves((40, 30)), "GIF"),
    saved(halves((40, 30)), "BMP"),
]


@settings(max_examples=300)
@given(
    data=st.sampled_from(VALID),
    edits=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=4)), max_size=6),
    length=st.floats(0, 1),
)
def test_whatever_is_done_to_a_picture_it_is_read_or_rejected(
    data: bytes, edits: list[tuple[float, bytes]], length: float
) -> None:
    broken = bytearray(data)
    for place, replacement in edits:
        start = int(place * len(broken))
        broken[start : start + len(replacement)] = replacement
    if length > 0.5:
        broken = broken[: int(length * len(broken))]
    with suppress(RejectedRequest):
        assert read(bytes(broken)).shape == (SIZE, SIZE, 3)


@settings(max_examples=100)
@given(
    head=st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b""]),
    tail=st.binary(max_size=200),
)
def test_noise_behind_a_picture_s_first_bytes_is_rejected(head: bytes, tail: bytes) -> None:
    with pytest.raises(RejectedRequest):
        read(head + tail)
