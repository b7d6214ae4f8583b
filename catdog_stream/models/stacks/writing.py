"""What every way of making a stack ends with: its parts named, and pictures kept with it."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from catdog_stream.errors import InputError, RejectedRequest
from catdog_stream.models.engines.convert import LITERT_FILE, TENSORFLOW_FILE
from catdog_stream.models.stacks.manifest import Golden, Part, PartName, describe
from catdog_stream.models.stacks.stack import ModelStack

__all__ = ["HEAD_FILE", "NOTICE_FILE", "keep_golden", "parts_in"]

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


def keep_golden(stack: ModelStack, files: Iterable[Path], label: str, output: Path) -> Golden:
    """Keep the first readable picture of ``files`` in ``output``, and what ``stack`` says of it.

    ``label`` is what it shows. Raises ``InputError`` if none can be read, or it cannot be written.
    """
    for file in files:
        try:
            (verdict,) = stack.classify([stack.prepare(file.read_bytes())])
        except RejectedRequest:
            continue
        kept = f"golden-{label}{file.suffix.lower()}"
        try:
            shutil.copyfile(file, output / kept)
        except OSError as error:
            raise InputError(f"The stack cannot be written to {output}: {error}.") from error
        return Golden(describe(output, kept), dict(verdict.scores))
    raise InputError(f"There is no readable picture of {label}.")
