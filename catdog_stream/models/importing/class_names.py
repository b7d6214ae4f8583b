"""Names of the classes of a model, from lists and texts of any library."""

import json
import re
from pathlib import Path
from typing import Any

from catdog_stream.errors import InputError

__all__ = ["MAX_BYTES", "names_in_document", "names_in_option", "names_in_text", "usable"]

MAX_BYTES = 4 * 1024 * 1024
"""Largest size of a file with names, in bytes."""
_LONGEST = 64
_NUMBERED = re.compile(r"(\d+)[\s:,;]+(.*\S)")


def names_in_document(document: Any) -> tuple[str, ...]:
    """Return the names in a list, or in an object from each number, beginning with 0, to a name.

    The last text of a list of texts is a name, as in ``imagenet_class_index.json`` of Keras.
    Raises ``ValueError`` for anything else.
    """
    if isinstance(document, dict):
        numbered = {int(number): name for number, name in document.items()}
        if sorted(numbered) != [*range(len(numbered))]:
            raise ValueError("the classes are not numbered 0, 1, 2, ...")
        document = [numbered[number] for number in range(len(numbered))]
    if not isinstance(document, list):
        raise ValueError("it is no list of classes")  # noqa: TRY004 - of a document
    names = [each[-1] if isinstance(each, list) and each else each for each in document]
    if not all(isinstance(name, str) for name in names):
        raise ValueError("a class is no text")
    return tuple(names)


def names_in_text(text: str) -> tuple[str, ...]:
    """Return the names in a text, one a line; a number before each name is left out."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = [_NUMBERED.fullmatch(line) for line in lines]
    if all(each and int(each[1]) == number for number, each in enumerate(found)):
        return tuple(each[2] for each in found if each)
    return tuple(lines)


def names_in_option(value: str) -> tuple[str, ...]:
    """Return the names of ``--classes``: a file, in lines or as JSON, or names with commas.

    Raises ``InputError``.
    """
    file = Path(value)
    if not file.is_file():
        if "," not in value:
            raise InputError(f"--classes: there is no file {value}, and one name is no list.")
        return tuple(name.strip() for name in value.split(","))
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_BYTES).decode()
        if file.suffix == ".json":
            return names_in_document(json.loads(text))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"--classes: {file} cannot be read: {error}.") from error
    return names_in_text(text)


def usable(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names that are short and different: of ImageNet's, some are long, or occur twice.

    A long name is cut at its first comma; a name that occurs again gets a number.
    """
    found: dict[str, None] = {}
    for name in names:
        short = name if len(name) <= _LONGEST else name.partition(",")[0]
        number, unique = 1, short
        while unique in found:
            number += 1
            unique = f"{short}_{number}"
        found[unique] = None
    return tuple(found)
