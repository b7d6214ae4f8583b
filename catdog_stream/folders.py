"""Folders as people name them on the command line, with all that lies below."""

import os
from pathlib import Path

from catdog_stream.errors import InputError

__all__ = ["files_below"]


def files_below(folder: Path) -> list[Path]:
    """Return the files below a folder, sorted; none where there is no folder.

    Links to folders are not followed.

    Raises:
        InputError: a folder may not be read. ``Path.rglob`` would take it for an empty one.
    """
    found: list[Path] = []
    for directory, _, names in os.walk(folder, onerror=_refuse):
        found += [path for name in names if (path := Path(directory, name)).is_file()]
    return sorted(found)


def _refuse(error: OSError) -> None:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return  # there is nothing in it
    raise InputError(f"The folder {error.filename} cannot be read: {error.strerror}.") from error
