"""Secrets that are read again when their files change, so that a rotation needs no restart.

Whoever rotates a password or a certificate replaces a file under a process that runs. A new
connection takes what the file holds then; connections that are open stay.
"""

import logging
import ssl
import stat
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from catdog_stream.errors import SettingError

__all__ = ["Reread", "RereadContext", "RereadPassword"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

_State = tuple[tuple[int, int, int] | None, ...]


class Reread(Generic[T]):
    """Value of files, the last one that could be used.

    Args:
        read: reads the files. Raises ``SettingError``.
        files: that it reads.
        first: their value, where it is known.

    Raises:
        SettingError: the files cannot be used now.
    """

    def __init__(
        self, read: Callable[[], T], files: Sequence[Path], first: T | None = None
    ) -> None:
        self._read = read
        self._files = files
        self._lock = threading.Lock()
        self._state = self._look()
        self._value = read() if first is None else first

    def current(self) -> T:
        """Return the value; reads the files if one has changed since."""
        with self._lock:
            state = self._look()
            if state != self._state:
                # Before the files are read: one that changes meanwhile is read once more.
                self._state = state
                try:
                    self._value = self._read()
                except SettingError as error:
                    logger.warning("%s What it held before is still used.", error)
                else:
                    logger.info("Read again: %s.", ", ".join(map(str, self._files)))
            return self._value

    def _look(self) -> _State:
        return tuple(map(_state, self._files))


def _state(file: Path) -> tuple[int, int, int] | None:
    """Return what differs once a file was written or replaced.

    ``None`` if there is none, and for what can be read only once, such as a pipe.
    """
    try:
        found = file.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class RereadContext(ssl.SSLContext):
    """TLS context that begins each connection with the certificates that its files hold then."""

    _current: Callable[[], ssl.SSLContext]

    @classmethod
    def of(cls, read: Callable[[], ssl.SSLContext], files: Sequence[Path]) -> "RereadContext":
        """Return a context that ``read`` makes from ``files``. Raises ``SettingError``."""
        # On its own it trusts nobody: a way past wrap_bio lets nobody in.
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context._current = Reread(read, files).current
        return context

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """Begin a connection of an event loop."""
        return self._current().wrap_bio(*args, **options)


class RereadPassword(str):
    """Password as its file held it first; ``current`` is what the file holds now.

    ``patches.password_rotation`` has a connection ask for it.
    """

    current: Callable[[], str]

    @classmethod
    def of(cls, first: str, read: Callable[[], str], file: Path) -> "RereadPassword":
        """Return ``first``, which ``read`` took from ``file``, with what it takes later."""
        password = cls(first)
        password.current = Reread(read, [file], first).current
        return password
