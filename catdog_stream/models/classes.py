"""Rules for the names of classes."""

import re
from collections.abc import Collection, Iterable
from itertools import islice

__all__ = ["RESERVED", "checked_classes", "listed"]

#: Number of names in a sentence.
MOST_LISTED = 5

#: Headers of labels and rejections, and the label of a picture that is in none of the classes.
RESERVED = frozenset(
    {
        *("verdict", "stack", "source", "familiarity", "votes", "missing", "unknown"),
        *("reason", "detail"),
        *("traceparent", "tracestate"),
    }
)
_NAME = re.compile(r"[a-z0-9_-]{1,32}")


def checked_classes(names: Iterable[object]) -> tuple[str, ...]:
    """Return the names of a stack's classes, checked; each is the name of a header, too.

    Raises:
        ValueError: a name is invalid, reserved or repeated, or there are fewer than two names.
    """
    found: dict[str, None] = {}  # keeps the order; a dict, since votes may have many classes
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} cannot be a class: it must have 1 to 32 of a-z, 0-9, _ and -"
            )
        if name in RESERVED:
            raise ValueError(f"{name!r} cannot be a class: labels have another header of that name")
        if name in found:
            raise ValueError(f"the class {name!r} is there twice")
        found[name] = None
    if len(found) < 2:
        raise ValueError("there must be two classes or more")
    return tuple(found)


def listed(classes: Collection[str]) -> str:
    """Return the names for a sentence: the first few of many."""
    more = len(classes) - MOST_LISTED
    return ", ".join(islice(classes, MOST_LISTED)) + (f" and {more} more" if more > 0 else "")
