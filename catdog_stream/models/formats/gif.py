"""Reader of GIF: the first frame, on a transparent canvas if the frame is smaller."""

import io

from PIL import Image

from catdog_stream.models.formats.decoded import Admit, Decoded, on_canvas

__all__ = ["read_gif"]


def read_gif(data: bytes, admit: Admit) -> Decoded:
    """Decode a GIF. Raises ``RejectedRequest``, or any exception for a damaged file."""
    image = Image.open(io.BytesIO(data), formats=("GIF",))
    admit(image.size)
    frame = image.tile[0].extents
    image.load()
    if frame is None or frame == (0, 0, *image.size):
        return Decoded(image)
    # Pillow fills the rest with the background color, which browsers ignore.
    return Decoded(on_canvas(image.crop(frame), image.size, frame[:2]))
