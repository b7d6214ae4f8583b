"""What every way of making a stack ends with: its parts, named."""

from pathlib import Path

from catdog_stream.models.engines.convert import LITERT_FILE, TENSORFLOW_FILE
from catdog_stream.models.stacks.manifest import Part, PartName, describe

__all__ = ["HEAD_FILE", "NOTICE_FILE", "parts_in"]

HEAD_FILE = "head.ubj"
NOTICE_FILE = "NOTICE"
_PART_FILES: dict[PartName, str] = {
    "litert": LITERT_FILE,
    "tensorflow": TENSORFLOW_FILE,
    "head": HEAD_FILE,
}


def parts_in(directory: Path) -> dict[PartName, Part]:
    """The parts that lie in ``directory`` under their usual names."""
    return {
        part: describe(directory, file)
        for part, file in _PART_FILES.items()
        if (directory / file).is_file()
    }
