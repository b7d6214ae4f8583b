"""Search for files in the folders that a user names on the command line."""

import os
from pathlib import Path

from catdog_stream.errors import InputError

__all__ = ["files_below"]


def files_below(folder: Path) -> list[Path]:
    """Return the files below a folder, sorted; empty if the folder does not exist.

    Links to folders are not followed.

    Raises:
        InputError: a folder may not be read. ``Path.rglob`` would treat the folder as empty.
    """
    found: list[Path] = []
    for directory, _, names in os.walk(folder, onerror=_refuse):
        found += [path for name in names if (path := Path(directory, name)).is_file()]
    return sorted(found)


def _refuse(error: OSError) -> None:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return  # no files
    raise InputError(f"The folder {error.filename} cannot be read: {error.strerror}.") from error
