"""Pictures for ``tests.support.looking_worker``."""

import io

from PIL import Image

__all__ = ["BLUE", "RED", "noise", "png"]


def png(color: str, side: int = 32) -> bytes:
    """A square of one color."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), color).save(file, "PNG")
    return file.getvalue()


#: A cat and a dog.
RED, BLUE = png("red"), png("blue")


def noise(size: int) -> bytes:
    """A cat with so many bytes, most of which follow its end."""
    return RED + bytes(size - len(RED))
