"""From a picture's own colors to sRGB, by its ICC profile, which is untrusted.

Small pictures are converted, after resizing: at 299 x 299 it costs a millisecond, at 12 megapixels
a tenth of a second. Transforms are kept, since most pictures of a source have the same profile.
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
#: Transforms that are kept. One of a printer's profile has 0.5 MB.
_KEPT = 16
#: A profile that changes no color by more is sRGB.
_SAME = 1
#: 9 values of each channel.
_PROBE = Image.fromarray(
    np.array(np.meshgrid(*[np.linspace(0, 255, 9)] * 3), np.uint8).reshape(3, 27, 27).T.copy()
)

Transform = Callable[[Image.Image], Image.Image]
"""From an RGB, RGBA or CMYK image to an RGB one."""

_transforms: OrderedDict[bytes, Transform | None] = OrderedDict()
_lock = threading.Lock()


def is_usable(profile: bytes | None, mode: str) -> bool:
    """Return if a profile is for pictures of Pillow's ``mode``; browsers ignore others."""
    wanted = _MODES.get((profile or b"")[16:20])
    if mode == "CMYK" or wanted == "CMYK":
        return mode == wanted
    is_grey = mode in ("1", "L", "LA") or mode.startswith("I")
    return wanted == "RGB" or (wanted == "L" and is_grey)


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert an RGB, RGBA or CMYK image to RGB or RGBA; alpha stays as it is. Thread-safe.

    Args:
        profile: usable for the image, or for the greys that the image was made from. Where it is
            damaged, colors are taken as sRGB.
    """
    transform = _transform(profile)
    if transform is None:
        return image if image.mode == "RGBA" else image.convert("RGB")
    converted = transform(image)
    if image.mode == "RGBA":
        converted.putalpha(image.getchannel("A"))
    return converted


def _transform(profile: bytes) -> Transform | None:
    """Return the transform to sRGB; ``None`` where there is nothing to change."""
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
    """Raises ``OSError``, ``ValueError``, ``PyCMSError`` for a damaged profile."""
    mode = _MODES[profile[16:20]]
    # Little CMS is exact without tables of its own, and slow: for as many greys as there are only.
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
