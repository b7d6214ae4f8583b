"""Decoding of a picture's bytes, which are untrusted, to an image with its own aspect ratio."""

from PIL import Image

from catdog_stream.models.pictures import PictureLimits, on_white, recognised, shown

__all__ = ["decode_whole"]


def decode_whole(data: bytes, longest_side: int, limits: PictureLimits) -> Image.Image:
    """Decode a picture to an upright RGB image in sRGB. Thread-safe.

    Shrinks a picture whose longer side exceeds ``longest_side`` pixels to that size. Raises
    ``RejectedRequest``, as ``pictures.decode`` does.
    """

    def fit(image: Image.Image) -> Image.Image:
        factor = min(1.0, longest_side / max(image.size))
        width, height = (max(1, round(factor * length)) for length in image.size)
        return image.resize((width, height), Image.Resampling.BICUBIC)

    with recognised(data, limits) as picture:
        return on_white(shown(picture, fit))
