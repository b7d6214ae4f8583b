"""Classes and functions of a user that a setting names: ``package.module:factory``."""

import importlib
import sys
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catdog_stream.errors import SettingError

__all__ = ["called", "described", "find", "made"]

_LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
_PACKAGE = str(Path(__file__).parent)


def find(named: str) -> Callable[..., Any]:
    """Return the class or function ``named``. The current folder is importable.

    Raises:
        ValueError: there is none, or its module cannot be imported; the text says why.
    """
    module_name, _, attribute = named.partition(":")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise ValueError(f"there is no module {error.name} in {folder} or installed") from error
        raise ValueError(described(error)) from error
    except (Exception, SystemExit) as error:
        raise ValueError(described(error)) from error
    if not callable(found):
        raise ValueError(  # noqa: TRY004 - it is the user's text that is wrong
            f"it is {type(found).__name__}, and no class or function"
        )
    return found  # type: ignore[no-any-return]


def called(factory: Callable[..., Any], *arguments: object) -> Any:
    """Return what ``factory`` returns. Raise ``ValueError`` if it fails; the text says why."""
    try:
        return factory(*arguments)
    except (Exception, SystemExit) as error:
        raise ValueError(described(error)) from error


def made(what: str, named: str, *methods: str) -> Any:
    """Return a new object of the class or function ``named``, which must have ``methods``.

    Raises:
        SettingError: there is none, it fails, or a method is missing; the text calls it ``what``.
    """
    try:
        found = called(find(named))
    except ValueError as error:
        raise _unusable(what, named, error) from error
    if missing := [method for method in methods if not hasattr(found, method)]:
        raise _unusable(what, named, f"it has no {' and no '.join(missing)}")
    return found


def _unusable(what: str, named: str, reason: object) -> SettingError:
    return SettingError(f"The {what} {named!r} cannot be used: {reason}.")


def described(error: BaseException) -> str:
    """Return an error of foreign code in a few words, with the place in that code."""
    text = " ".join(str(error).split())
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({error.filename}, line {error.lineno})"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(("<", _PACKAGE))
    ]
    own = [frame for frame in frames if not frame.filename.startswith(_LIBRARIES)]
    if not (own or frames):
        return said
    frame = (own or frames)[-1]
    return f"{said} ({frame.filename}, line {frame.lineno})"
