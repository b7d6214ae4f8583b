"""Conversion of a picture's colors to sRGB, by its ICC profile, which is untrusted.

Pictures are converted after resizing: a conversion takes 1 ms at 299 x 299 pixels, and 100 ms at
12 megapixels. Transforms are cached, since most pictures of a source have the same profile.
"""

import hashlib
import io
import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms

__all__ = ["is_usable", "to_srgb"]

_MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
#: Number of cached transforms. The transform of a printer's profile takes 0.5 MB.
_KEPT = 16
#: A profile that changes every color by at most this much counts as sRGB.
_SAME = 1
#: A test image with 9 values of each channel.
_PROBE = Image.fromarray(
    np.array(np.meshgrid(*[np.linspace(0, 255, 9)] * 3), np.uint8).reshape(3, 27, 27).T.copy()
)

Transform = Callable[[Image.Image], Image.Image]
"""Function from an RGB, RGBA or CMYK image to an RGB image."""

_transforms: OrderedDict[bytes, Transform | None] = OrderedDict()
_lock = threading.Lock()


def is_usable(profile: bytes | None, mode: str) -> bool:
    """Return if a profile is for pictures of Pillow's ``mode``; browsers ignore other profiles."""
    wanted = _MODES.get((profile or b"")[16:20])
    if mode == "CMYK" or wanted == "CMYK":
        return mode == wanted
    is_grey = mode in ("1", "L", "LA") or mode.startswith("I")
    return wanted == "RGB" or (wanted == "L" and is_grey)


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert an RGB, RGBA or CMYK image to RGB or RGBA, keeping alpha. Thread-safe.

    Args:
        image: the image to convert.
        profile: usable for the image, or for the greys that the image was made from. If it is
            damaged, the colors count as sRGB.
    """
    transform = _transform(profile)
    if transform is None:
        return image if image.mode == "RGBA" else image.convert("RGB")
    converted = transform(image)
    if image.mode == "RGBA":
        converted.putalpha(image.getchannel("A"))
    return converted


def _transform(profile: bytes) -> Transform | None:
    """Return the transform to sRGB; ``None`` if the colors need no change."""
    key = hashlib.blake2b(profile, digest_size=16).digest()
    with _lock:
        if key in _transforms:
            _transforms.move_to_end(key)
            return _transforms[key]
    try:
        transform = _build(profile)
    except (OSError, ValueError, ImageCms.PyCMSError):
        transform = None
    with _lock:
        _transforms[key] = transform
        while len(_transforms) > _KEPT:
            _transforms.popitem(last=False)
    return transform


def _build(profile: bytes) -> Transform | None:
    """Create the transform. Raises ``OSError``, ``ValueError``, ``PyCMSError`` if damaged."""
    mode = _MODES[profile[16:20]]
    # Without its own tables Little CMS is exact but slow, so they are off only for the 256 greys.
    flags = ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.NOWHITEONWHITEFIXUP
    transform = ImageCms.ImageCmsTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=flags,
    )
    if mode == "CMYK":
        return transform.apply
    if mode == "L":
        greys = Image.frombytes("L", (256, 1), bytes(range(256)))
        tables = [list(band.tobytes()) for band in transform.apply(greys).split()]
        return lambda image: Image.merge("RGB", [image.getchannel(0).point(t) for t in tables])
    changes = np.asarray(transform.apply(_PROBE)).astype(np.int16) - np.asarray(_PROBE)
    if np.abs(changes).max() <= _SAME:
        return None
    return lambda image: transform.apply(image if image.mode == "RGB" else image.convert("RGB"))
