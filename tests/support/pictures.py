"""Pictures for ``tests.support.looking_worker``, and the project's samples."""

import io
from base64 import b64decode
from pathlib import Path

from PIL import Image

from catdog_stream.models.stacks.locate import samples

__all__ = ["BLUE", "HEIC", "LOOKING", "RED", "colored", "noise", "sample_files"]

#: Module of the worker that classifies them.
LOOKING = "tests.support.looking_worker"


def colored(color: str, kind: str = "PNG", side: int = 32) -> bytes:
    """Return a square of one color, in a format that Pillow writes."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), color).save(file, kind)
    return file.getvalue()


#: A cat and a dog.
RED, BLUE = colored("red"), colored("blue")
#: Red on the left, blue on the right, 64 x 64 pixels; Pillow cannot write it.
HEIC = b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAA"
    "AAAAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABegABAAAAAAAAAC0AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAA"
    "AAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA1mlwcnAAAAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34"
    "+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqSSmu"
    "bgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAA"
    "QAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAADVtZGF0AAAAKSgBrwngITl1X//8m9//"
    "/MlXIfwcYlP/+/HM+/xfBf/95B0KuBn//FX/"
)


def noise(size: int) -> bytes:
    """Return a picture of a cat in a file of ``size`` bytes, most of them after its end."""
    return RED + bytes(size - len(RED))


def sample_files() -> list[Path]:
    """Return the real cats and the dog by their names."""
    return sorted(path for path in samples().iterdir() if path.suffix in {".png", ".jpg"})
