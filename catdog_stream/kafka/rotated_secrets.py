"""Secrets that are read again when their files change, so that a rotation needs no restart.

An operator rotates a password or certificate by replacing a file while the process runs. A new
connection uses the current content of the file; open connections stay.
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
    """Value read from files; keeps the last valid one.

    Args:
        read: reads the files. Raises ``SettingError``.
        files: the files that ``read`` reads.
        first: their value, if it is known.

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
        """Return the value; read the files again if one has changed."""
        with self._lock:
            state = self._look()
            if state != self._state:
                # Set before the read: a file that changes meanwhile is read once more.
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
    """Return a state that differs after the file was written or replaced.

    Return ``None`` for a missing file, and for one that can be read only once, such as a pipe.
    """
    try:
        found = file.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class RereadContext(ssl.SSLContext):
    """TLS context that starts each connection with the current certificates of its files."""

    _current: Callable[[], ssl.SSLContext]

    @classmethod
    def of(cls, read: Callable[[], ssl.SSLContext], files: Sequence[Path]) -> "RereadContext":
        """Return a context that ``read`` makes from ``files``. Raises ``SettingError``."""
        # On its own this context trusts no certificate: a path around wrap_bio cannot connect.
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context._current = Reread(read, files).current
        return context

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """Start a TLS connection of an event loop, with the current context."""
        return self._current().wrap_bio(*args, **options)


class RereadPassword(str):
    """Password as first read; ``current`` returns the present content of its file.

    ``patches.password_rotation`` makes each connection call ``current``.
    """

    current: Callable[[], str]

    @classmethod
    def of(cls, first: str, read: Callable[[], str], file: Path) -> "RereadPassword":
        """Return the password ``first`` of ``file``, with ``read`` for later passwords."""
        password = cls(first)
        password.current = Reread(read, [file], first).current
        return password
