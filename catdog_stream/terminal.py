"""The terminal: open standard streams that print any text, and safe output of untrusted text."""

import os
import sys

__all__ = ["prepare_streams", "shown"]

_NAMES = ("stdin", "stdout", "stderr")


def shown(text: str) -> str:
    """Return ``text`` as one line, with Python's escapes for all unprintable characters.

    These are control characters, line breaks, changes of the writing direction, invisible
    characters and invalid characters. A backslash stays unchanged, because people read the text.
    """
    if text.isprintable():  # nearly all texts; the page shows hundreds each second
        return text
    return "".join(
        character if character.isprintable() else _escaped(character) for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def prepare_streams() -> None:
    """Open the null device for closed standard streams, and escape unencodable characters.

    Python starts without a closed stream, and the next file or socket gets its number: the output
    of a child process would go there. A Latin-1 terminal cannot print most characters of a file
    name or a url: they are printed as Python's escapes.
    """
    for number, name in enumerate(_NAMES):
        if getattr(sys, name) is None:
            _open_null(number)
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - stays open
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _open_null(number: int) -> None:
    opened = os.open(os.devnull, os.O_RDWR)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    os.set_inheritable(number, True)
