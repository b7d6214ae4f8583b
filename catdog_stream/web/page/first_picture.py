"""Shell command that sends the first picture, for a shell in the worker's folder."""

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

    In a checkout, the program is in ``.venv/bin``, which is not in a shell's path; the sample
    pictures are where pip has installed them. So the command assumes neither.
    """
    return f"{_program(Path(sysconfig.get_path('scripts')) / _PROGRAM)} send --samples"


def _program(installed: Path) -> str:
    """Return the command that starts this installation from the current folder."""
    if not installed.is_file():
        return f"{shlex.quote(sys.executable)} -m catdog_stream"
    found = shutil.which(_PROGRAM)
    path, here = Path(os.path.realpath(installed)), Path.cwd()
    if path.is_relative_to(here):
        return shlex.quote(str(path.relative_to(here)))
    if found is not None and os.path.realpath(found) == str(path):
        return _PROGRAM
    return shlex.quote(str(path))
