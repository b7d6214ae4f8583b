"""Access to a checkpoint: a local file, a file in an archive, or a download of either."""

import gzip
import hashlib
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any

from catdog_stream.errors import InputError
from catdog_stream.models.legacy.download import download, is_address

__all__ = ["MEMBER", "AtHand", "at_hand"]

MEMBER = "inception_v3.ckpt"
"""Name of the file in the archive ``inception_v3_2016_08_28.tar.gz``."""
#: Largest download and decompressed size. The checkpoint has 109 MB, its archive 101 MB.
MAX_BYTES = 512 * 1024 * 1024

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class AtHand:
    """A checkpoint on the local disk."""

    path: Path
    """A file, or the prefix of several files."""
    sha256: str | None
    """SHA-256 of the given file (checkpoint or archive), hexadecimal; ``None`` for a prefix."""


@contextmanager
def at_hand(place: str, *, sha256: str | None = None, progress: bool = True) -> Iterator[AtHand]:
    """Provide the checkpoint at ``place`` as a local file, for use in a ``with`` block.

    Downloaded and unpacked files lie in a temporary folder until the block ends.

    Args:
        place: a file, the prefix of several files, a ``.tar.gz``, or a URL of a file.
        sha256: the required SHA-256 of the file at ``place``, in hexadecimal.
        progress: show the progress of a download.

    Raises:
        InputError: the SHA-256 differs, or the checkpoint cannot be read, downloaded or unpacked.
    """
    with tempfile.TemporaryDirectory(prefix="catdog-checkpoint-") as temporary:
        folder = Path(temporary)
        file = Path(place)
        if is_address(place):
            file = folder / "download"
            download(place, file, most=MAX_BYTES, progress=progress)
        if not file.is_file():
            if sha256 is not None:
                raise InputError(f"There is no file {place} that could have a SHA-256.")
            yield AtHand(file, None)
            return
        with _opened(file) as stream:
            begin = stream.read(len(_GZIP))
            stream.seek(0)
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if sha256 is not None and found != sha256.lower():
            raise InputError(f"The SHA-256 of {place} is {found}, not the one that was given.")
        if begin == _GZIP:
            file = _unpack(file, place, folder / MEMBER)
        yield AtHand(file, found)


def _opened(file: Path) -> BufferedReader:
    try:
        return file.open("rb")
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error


def _unpack(archive: Path, place: str, target: Path) -> Path:
    """Write the content of the archive's ``MEMBER`` to ``target``, without its path and mode."""
    try:
        with gzip.open(archive) as unpacked:
            limited: Any = _Limited(unpacked, place)  # read is the only method that tarfile calls
            with tarfile.open(fileobj=limited, mode="r|") as members:
                for member in members:
                    if member.isreg() and PurePosixPath(member.name).name == MEMBER:
                        _check(member, place)
                        content = members.extractfile(member)
                        assert content is not None  # it is a regular file
                        with target.open("wb") as file:
                            shutil.copyfileobj(content, file)
                        return target
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, RecursionError) as error:
        # RecursionError: tarfile recurses for each header that describes the next header
        raise InputError(f"{place} cannot be unpacked: it is damaged, or no .tar.gz.") from error
    raise InputError(f"{place} holds no file {MEMBER}.")


def _check(member: tarfile.TarInfo, place: str) -> None:
    """Raise ``InputError`` if the file would be larger than the limit of the archive."""
    if member.issparse():  # its holes take no bytes in the archive, and may have any size
        raise InputError(f"{MEMBER} in {place} is kept as a sparse file, which is not taken.")
    if member.size > MAX_BYTES:
        raise _too_much(place)


def _too_much(place: str) -> InputError:
    return InputError(f"{place} unpacks to more than the {MAX_BYTES} bytes allowed.")


class _Limited:
    """Stream of at most ``MAX_BYTES`` decompressed bytes: an archive may unpack to any size."""

    def __init__(self, stream: gzip.GzipFile, place: str) -> None:
        self._stream = stream
        self._place = place
        self._left = MAX_BYTES

    def read(self, size: int) -> bytes:
        content = self._stream.read(min(size, self._left + 1))
        self._left -= len(content)
        if self._left < 0:
            raise _too_much(self._place)
        return content
