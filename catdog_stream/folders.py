"""Search for files in the folders that a user names on the command line."""

import os
from pathlib import Path

from catdog_stream.errors import InputError

__all__ = ["entries_below", "files_below"]


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


def entries_below(folder: Path) -> list[Path]:
    """Return all that lies below a folder and is no folder, sorted, without hidden names.

    Includes links to folders, which are not followed, links to nothing and special files.

    Raises:
        InputError: there is no such folder, it has no files, or a folder may not be read.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    found: list[Path] = []
    for directory, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if Path(directory, name).is_symlink()]
        found += [Path(directory, name) for name in [*names, *links] if not name.startswith(".")]
    if not found:
        raise InputError(f"{folder} has no files.")
    return sorted(found)


def _refuse(error: OSError) -> None:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return  # no files
    raise InputError(f"The folder {error.filename} cannot be read: {error.strerror}.") from error
