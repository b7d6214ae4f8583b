"""Decoding of a picture's bytes, which are untrusted, into an array of fixed size.

The formats are PNG, JPEG, WebP, GIF (the first frame) and BMP, decoded as a browser shows them.
``formats`` has the readers, ``docs/wire.md`` the rule. The picture is cropped and resized as in the
training of the network (``resizing``). Colors are converted to sRGB, the picture is turned upright,
and transparent parts get a white background, as on a web page.

For any bytes, :func:`decode` returns an array or raises ``RejectedRequest``.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, UnidentifiedImageError

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.memory import DECODING, decoding_bytes
from catdog_stream.models.color_profiles import is_usable as is_usable_profile
from catdog_stream.models.color_profiles import to_srgb
from catdog_stream.models.formats.bmp import HEADER_SIZES, read_bmp
from catdog_stream.models.formats.decoded import Admit, Decoded
from catdog_stream.models.formats.gif import read_gif
from catdog_stream.models.formats.jpeg import read_jpeg
from catdog_stream.models.formats.other import read_other
from catdog_stream.models.formats.png import read_png
from catdog_stream.models.formats.webp import read_webp
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.resizing import letterboxed, resized

Picture = npt.NDArray[np.uint8]
"""RGB, uint8, shape [height, width, 3]."""

# Pillow warns about odd metadata and large sizes. What matters reaches the sender as a rejection,
# and an untrusted picture must not write into the worker's log.
warnings.filterwarnings("ignore", module=r"PIL\.")

_READERS: dict[str, Callable[[bytes, Admit], Decoded]] = {
    "PNG": read_png,
    "JPEG": read_jpeg,
    "WEBP": read_webp,
    "GIF": read_gif,
    "BMP": read_bmp,
}

_TRANSPOSITION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation to the transposition that turns the picture upright (EXIF 2.32, tag 0x0112)."""
_ON_ITS_SIDE = (5, 6, 7, 8)
"""The orientations whose transposition exchanges width and height."""


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """Size limits of a single picture. Both are checked before the pixels are decoded."""

    max_bytes: int = 4 * 1024 * 1024
    max_pixels: int = 25_000_000


def decode(data: bytes, wanted: Preprocessing, limits: PictureLimits) -> Picture:
    """Decode a picture, crop and resize it as ``wanted``. Thread-safe.

    Raises ``RejectedRequest`` with one of the reasons ``too_large`` (bytes), ``too_many_pixels``,
    ``not_an_image``, ``unsupported_format`` (recognised, but not one of the five) and
    ``damaged_image``.
    """
    with recognised(data, limits) as picture:
        # Converted at the small size: far cheaper than the full size, with equal quality.
        on_its_side = picture.orientation in _ON_ITS_SIDE
        small = shown(picture, lambda image: resized(image, wanted, on_its_side=on_its_side))
    return np.array(letterboxed(on_white(small), wanted))


def recognised(data: bytes, limits: PictureLimits) -> AbstractContextManager[Decoded]:
    """Decode a picture in one of the five formats, for use in a ``with`` block.

    Raises ``RejectedRequest``, here and for any exception in the block, as ``decode`` does.
    """
    if len(data) > limits.max_bytes:
        raise RejectedRequest(
            Reason.TOO_LARGE, f"The picture has {len(data)} bytes, {limits.max_bytes} are allowed."
        )
    return opened(data, recognise(data), limits)


@contextmanager
def opened(
    data: bytes,
    name: str,
    limits: PictureLimits,
    check: Callable[[ImageFile.ImageFile], None] | None = None,
) -> Iterator[Decoded]:
    """Decode a picture in the format that Pillow calls ``name``, for use in a ``with`` block.

    Turns any exception in the block into ``RejectedRequest``, as ``decode`` does. Thread-safe.

    Args:
        data: the bytes of the file.
        name: Pillow's name of the format.
        limits: size limits of the picture.
        check: for a format that is not one of the five: called with Pillow's image before its
            pixels are decoded.
    """
    with ExitStack() as stack:
        held = 0

        def admit(size: tuple[int, int]) -> None:
            # Called again where a file is opened several times, perhaps with another size.
            nonlocal held
            needed = decoding_bytes(_check_pixels(size, limits), len(data), name)
            if needed > held:
                stack.close()  # whoever waits holds nothing
                stack.enter_context(DECODING.held(needed))
                held = needed

        try:
            reader = _READERS.get(name)
            yield reader(data, admit) if reader else read_other(data, name, admit, check)
        except (RejectedRequest, MemoryError):
            raise
        except Image.DecompressionBombError as error:
            # Pillow has its own limit, above any sensible setting, and checks it in Image.open.
            raise RejectedRequest(
                Reason.TOO_MANY_PIXELS, f"The {name} picture is too large: {_sentence(error)}."
            ) from error
        except Exception as error:
            # Pillow does not wrap the exceptions of its parsers: OSError, SyntaxError, ValueError,
            # struct.error, EOFError, zlib.error, OverflowError and others.
            raise RejectedRequest(
                Reason.DAMAGED_IMAGE, f"The {name} picture is damaged: {_sentence(error)}."
            ) from error


def recognise(data: bytes) -> str:
    """Return Pillow's name of the picture's format, one of the five, from its first bytes.

    Raises ``RejectedRequest`` as ``decode`` does.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in HEADER_SIZES:
        return "BMP"
    if other := other_format(data):
        raise RejectedRequest(
            Reason.UNSUPPORTED_FORMAT,
            f"The picture is in the format {other}; PNG, JPEG, WebP, GIF and BMP are read.",
        )
    raise RejectedRequest(
        Reason.NOT_AN_IMAGE, "The data is not a PNG, JPEG, WebP, GIF or BMP picture."
    )


def other_format(data: bytes) -> str | None:
    """Return the common name of a known format that is not one of the five, else ``None``."""
    if data.startswith((b"II*\0", b"MM\0*")):
        return "TIFF"
    if data.startswith(b"%PDF-"):
        return "PDF"
    if data[4:8] == b"ftyp":
        return "AVIF" if data[8:12] in (b"avif", b"avis") else "HEIC or MP4"
    if data.startswith((b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")):
        return "JPEG 2000"
    if data.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        return "JPEG XL"
    if data.startswith(b"8BPS"):
        return "Photoshop"
    if b"<svg" in data[:1024]:
        return "SVG"
    return None


def _check_pixels(size: tuple[int, int], limits: PictureLimits) -> int:
    width, height = size
    if width * height > limits.max_pixels:
        raise RejectedRequest(
            Reason.TOO_MANY_PIXELS,
            f"The picture has {width} x {height} pixels, {limits.max_pixels} are allowed.",
        )
    return width * height


def shown(picture: Decoded, resize: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Return a picture as a browser shows it: RGB, or RGBA where parts of it are transparent.

    Args:
        picture: the decoded picture.
        resize: resizes an image in RGB, RGBA or CMYK.
    """
    image, profile = picture.image, picture.profile
    is_usable = is_usable_profile(profile, image.mode)
    small = resize(image if is_usable and image.mode == "CMYK" else _coloured(image))
    if profile is not None and is_usable:
        small = to_srgb(small, profile)
    if picture.orientation in _TRANSPOSITION:
        small = small.transpose(_TRANSPOSITION[picture.orientation])
    return small


def on_white(image: Image.Image) -> Image.Image:
    """Return an RGB or RGBA image as RGB, with a white background behind transparent parts."""
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image


def _coloured(image: Image.Image) -> Image.Image:
    """Return the picture as RGB, or as RGBA where parts are transparent; 8 bits a channel."""
    if image.mode.startswith("I;16"):
        upper = (np.asarray(image) >> 8).astype(np.uint8)
        image = Image.fromarray(upper)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    # No conversion where none is needed: it would copy the whole picture.
    return image if image.mode == mode else image.convert(mode)


def _sentence(error: Exception) -> str:
    """Return Pillow's message on one line, or the type of the error if the message is empty."""
    if isinstance(error, UnidentifiedImageError):
        return "its header cannot be read"
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
