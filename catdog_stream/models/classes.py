"""Rules for the names of classes."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from itertools import islice

from catdog_stream.models.verdict import UNKNOWN

__all__ = ["HEADER_CLASSES", "RESERVED", "checked_classes", "header_names", "listed"]

#: Number of names in a sentence.
MOST_LISTED = 5

#: Default of the largest number of classes with a header each in a label.
HEADER_CLASSES = 16
MAX_NAME = 64
#: Headers of labels and rejections, and the label of a picture that is in none of the classes.
RESERVED = frozenset(
    {
        *("verdict", "stack", "source", "familiarity", "votes", "missing", "scores", UNKNOWN),
        *("reason", "detail"),
        *("traceparent", "tracestate"),
    }
)
#: Names of many classes that would be mistaken for other counts: the page, the metrics and the
#: counts sum further classes as ``other``.
_RESERVED_OF_MANY = frozenset({UNKNOWN, "other"})
_NO_HEADER = re.compile(r"[^A-Za-z0-9_.-]+")


def checked_classes(names: Iterable[object]) -> tuple[str, ...]:
    """Return the names of a stack's classes, checked. Any text can be a name.

    Raises:
        ValueError: a name is invalid, reserved or repeated, or there are fewer than two names.
    """
    found: dict[str, None] = {}  # keeps the order; a dict, since votes may have many classes
    for name in names:
        if not isinstance(name, str) or not _is_name(name):
            raise ValueError(
                f"{name!r} cannot be a class: it must have 1 to {MAX_NAME} printable characters, "
                "and no space at its begin or end"
            )
        if name in found:
            raise ValueError(f"the class {name!r} is there twice")
        found[name] = None
    if len(found) < 2:
        raise ValueError("there must be two classes or more")
    reserved = RESERVED if len(found) <= HEADER_CLASSES else _RESERVED_OF_MANY
    for name in found.keys() & reserved:
        if reserved is RESERVED:
            raise ValueError(f"{name!r} cannot be a class: labels have another header of that name")
        raise ValueError(f"{name!r} cannot be a class: other pictures are counted under that name")
    return tuple(found)


def _is_name(name: str) -> bool:
    return 1 <= len(name) <= MAX_NAME and name.isprintable() and name == name.strip()


@lru_cache(maxsize=64)
def header_names(classes: tuple[str, ...]) -> Mapping[str, str]:
    """Return the name of the header of each class: its own name, or a similar one."""
    wanted = {name: _NO_HEADER.sub("-", _ascii(name)).strip("-") or "class" for name in classes}
    taken = RESERVED | {name for name, header in wanted.items() if name == header}
    names = {}
    for name, header in wanted.items():
        unique, number = header, 1
        while unique in taken and (unique != name or name in RESERVED):
            number += 1
            unique = f"{header}-{number}"
        taken |= {unique}
        names[name] = unique
    return names


def _ascii(name: str) -> str:
    """Return a name without its accents, and without other letters than those of ASCII."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


def listed(classes: Collection[str]) -> str:
    """Return the names for a sentence: the first few of many."""
    more = len(classes) - MOST_LISTED
    return ", ".join(islice(classes, MOST_LISTED)) + (f" and {more} more" if more > 0 else "")
