"""Pictures: for ``tests.support.looking_worker``, and the project's samples."""

import io
from pathlib import Path

from PIL import Image

from catdog_stream.models.stacks.locate import samples

__all__ = ["BLUE", "LOOKING", "RED", "colored", "noise", "sample_files"]

#: The module of the worker that looks at them.
LOOKING = "tests.support.looking_worker"


def colored(color: str, kind: str = "PNG", side: int = 32) -> bytes:
    """A square of one color, in a format that Pillow writes."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), color).save(file, kind)
    return file.getvalue()


#: A cat and a dog.
RED, BLUE = colored("red"), colored("blue")


def noise(size: int) -> bytes:
    """A cat with so many bytes, most of which follow its end."""
    return RED + bytes(size - len(RED))


def sample_files() -> list[Path]:
    """Real cats and a dog, by their names."""
    return sorted(path for path in samples().iterdir() if path.suffix in {".png", ".jpg"})
