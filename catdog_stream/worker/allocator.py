"""Return of memory to the operating system after large pictures have been answered.

Fault (malloc of glibc): each thread has its own arena, up to eight per core. Freeing a large block
raises the size limit of blocks in the arenas, where they stay, free, between small blocks in use:
a worker kept 600 MB after 190 pictures of 4 MB.

Repair: few arenas, a fixed size limit, and a trim of an idle worker's free memory if the worker has
grown. Separate pages of the operating system for every block would take a third more CPU time.
"""

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["Trimmer", "limit_arenas"]

#: Parameters of ``mallopt`` in glibc's ``malloc.h``.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_STATM = Path("/proc/self/statm")
#: Minimum bytes of a block that comes from the operating system, such as Pillow's large pictures.
LARGE = 16 * 1024 * 1024
ARENAS = 2
#: Environment variables of glibc by which an operator configures ``malloc``.
_OPERATORS = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")
#: Minimum growth, in bytes, after which a trim is worthwhile.
GROWTH = 32 * 1024 * 1024


def limit_arenas() -> None:
    """Configure ``malloc`` for this process, without glibc or if the operator does not do so."""
    if any(name in os.environ for name in _OPERATORS):
        return
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_MMAP_THRESHOLD, LARGE)
        # A fixed threshold above ends glibc's own rule, and each free of 128 KB would trim.
        libc.mallopt(_TRIM_THRESHOLD, 2 * LARGE)
        libc.mallopt(_ARENA_MAX, ARENAS)


class Trimmer:
    """Trimmer of free memory, for a process that has grown since the last trim."""

    def __init__(self) -> None:
        self._libc = _glibc()
        self._least = 0

    def trim(self) -> None:
        """Return free memory to the system; takes some milliseconds, without Python's lock."""
        size = _resident()
        if self._libc is None or size is None:
            return
        if size > self._least + GROWTH:
            self._libc.malloc_trim(0)
            self._least = _resident() or size
        else:
            self._least = min(self._least, size)


def _glibc() -> Any:
    with suppress(AttributeError, OSError, TypeError):
        libc = ctypes.CDLL(None)
        _ = libc.gnu_get_libc_version, libc.mallopt, libc.malloc_trim
        return libc
    return None


def _resident() -> int | None:
    """Return this process's resident memory in bytes."""
    with suppress(OSError, ValueError, IndexError):
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return None
