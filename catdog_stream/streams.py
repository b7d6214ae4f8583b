"""Standard streams of the process: each is there, and prints whatever text a command has."""

import os
import sys

__all__ = ["prepare"]

_NAMES = ("stdin", "stdout", "stderr")


def prepare() -> None:
    """Open the null device in place of closed standard streams, and escape what has no bytes.

    Python starts without a stream that is closed, and the next file or socket gets its number:
    what a child process prints would go there. A terminal of Latin-1 has no bytes for most
    characters of a file's name or of a url: those are printed as Python's escapes.
    """
    for number, name in enumerate(_NAMES):
        if getattr(sys, name) is None:
            _open_null(number)
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - for good
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _open_null(number: int) -> None:
    opened = os.open(os.devnull, os.O_RDWR)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    os.set_inheritable(number, True)
