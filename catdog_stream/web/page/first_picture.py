"""Command that sends the first picture, as it works in a shell beside the worker's."""

import os
import shlex
import shutil
import sys
import sysconfig
from pathlib import Path

__all__ = ["first_picture"]

_PROGRAM = "catdog-stream"


def first_picture() -> str:
    """Return the shell command that sends the sample pictures, from the worker's folder.

    A checkout has its program in ``.venv/bin``, where no shell finds it by its name alone; the
    sample pictures lie where pip has put them. So neither is assumed.
    """
    return f"{_program(Path(sysconfig.get_path('scripts')) / _PROGRAM)} send --samples"


def _program(installed: Path) -> str:
    """Return how a shell in the current folder starts the program of this installation."""
    if not installed.is_file():
        return f"{shlex.quote(sys.executable)} -m catdog_stream"
    found = shutil.which(_PROGRAM)
    path, here = Path(os.path.realpath(installed)), Path.cwd()
    if path.is_relative_to(here):
        return shlex.quote(str(path.relative_to(here)))
    if found is not None and os.path.realpath(found) == str(path):
        return _PROGRAM
    return shlex.quote(str(path))
