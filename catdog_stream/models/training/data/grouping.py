"""Groups of related pictures, such as those of one animal or one session: option ``--group``.

A split keeps a group on one side. A picture without a group is a group of its own.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from catdog_stream.errors import InputError
from catdog_stream.models.training.labelled import LabelledFile

__all__ = ["groups_of"]


def groups_of(
    option: str, files: Sequence[LabelledFile], folders: Sequence[Path]
) -> Mapping[Path, str]:
    """Return the groups of the pictures that have one.

    Args:
        option: a regular expression with one group, which is searched in the name of a file; or a
            CSV file with the columns ``path`` and ``group``.
        files: the pictures.
        folders: the folders of the pictures. A path in a CSV file begins there, or here.

    Raises:
        InputError: the option is invalid, or no picture has a group.
    """
    if Path(option).is_file() or option.endswith(".csv"):
        table = _table(Path(option), folders)
        found = {file.path: table.get(file.path.absolute(), "") for file in files}
    else:
        pattern = _pattern(option)
        matches = {file.path: pattern.search(file.path.name) for file in files}
        found = {path: match[1] or "" for path, match in matches.items() if match}
    groups = {path: group for path, group in found.items() if group}
    if not groups:
        raise InputError(f"--group {option} gives none of the pictures a group.")
    return groups


def _pattern(option: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(option)
    except re.error as error:
        raise InputError(f"--group {option} is no regular expression: {error}.") from error
    if pattern.groups != 1:
        raise InputError(
            f"--group {option} has {pattern.groups} groups in parentheses: it must have one, as "
            "in '^(.+)_', which is the part of a name before its last underscore."
        )
    return pattern


def _table(file: Path, folders: Sequence[Path]) -> dict[Path, str]:
    """Return absolute path to group. Raises ``InputError``."""
    if not file.is_file():
        raise InputError(f"There is no file {file}.")
    try:
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            table = csv.DictReader(stream)
            if not {"path", "group"} <= set(table.fieldnames or ()):
                raise InputError(f"{file} must have the columns path and group in its first line.")
            rows = [(row["path"] or "", row["group"] or "") for row in table]
    except (OSError, csv.Error) as error:
        raise InputError(f"{file} cannot be read as a table: {error}.") from error
    bases = (Path(), *folders)
    return {(base / path).absolute(): group for path, group in rows for base in bases}
