"""Reader of formats that the stream does not accept (TIFF, AVIF, HEIC), with Pillow."""

from collections.abc import Callable

from PIL import ExifTags, Image, ImageFile

from catdog_stream.models.formats.decoded import Admit, Decoded, load

__all__ = ["read_other"]


def read_other(
    data: bytes, name: str, admit: Admit, check: Callable[[ImageFile.ImageFile], None] | None
) -> Decoded:
    """Decode a file in the format that Pillow calls ``name``.

    Args:
        data: the bytes of the file.
        name: Pillow's name of the format.
        admit: called with the size of the picture before its pixels are decoded.
        check: called with the image before its pixels are decoded.

    Raises:
        Exception: any, for a damaged file.
    """
    image = load(data, name, admit, check)
    return Decoded(image, _orientation(image), image.info.get("icc_profile"))


def _orientation(image: Image.Image) -> int:
    for name in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(name, None)  # Pillow would read the orientation in XMP, too
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # noqa: BLE001 - the pixels are fine; broken metadata is no reason to reject
        return 1
    return value if isinstance(value, int) else 1
