"""Memory of large pictures goes back to the operating system once they are answered.

Fault (malloc of glibc): each thread has an arena of its own, up to eight for each core, and a large
block that is freed raises the size up to which blocks lie in them. There they stay, free, between
small ones that live on: a worker that had seen 190 pictures of 4 MB kept 600 MB.

Repair: the arenas are few, the size is fixed, and an idle worker that has grown has its free memory
returned. The operating system's own pages for each block would take a third more CPU time.
"""

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["Trimmer", "limit_arenas"]

#: Parameters of ``mallopt`` in glibc's ``malloc.h``.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
_STATM = Path("/proc/self/statm")
#: Blocks from this size on come from the operating system, as those of Pillow for large pictures.
LARGE = 16 * 1024 * 1024
ARENAS = 2
#: Growth after which it pays to look for free memory, in bytes.
GROWTH = 32 * 1024 * 1024


def limit_arenas() -> None:
    """Set up ``malloc`` for this process; where it is not that of glibc, nothing changes."""
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_MMAP_THRESHOLD, LARGE)
        libc.mallopt(_ARENA_MAX, ARENAS)


class Trimmer:
    """Returns free memory where a process has grown since the last time."""

    def __init__(self) -> None:
        self._libc = _glibc()
        self._least = 0

    def trim(self) -> None:
        """Return what is free; takes some milliseconds, without Python's lock."""
        size = _resident()
        if self._libc is None or size is None:
            return
        if size > self._least + GROWTH:
            self._libc.malloc_trim(0)
            size = _resident() or size
        self._least = size


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
