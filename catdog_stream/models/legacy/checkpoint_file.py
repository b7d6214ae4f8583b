"""Have a checkpoint at hand: a file, one out of an archive, or either from an address."""

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
"""What the archive ``inception_v3_2016_08_28.tar.gz`` holds."""
#: The checkpoint has 109 MB, in an archive of 101 MB.
MAX_BYTES = 512 * 1024 * 1024

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class AtHand:
    """A checkpoint on this machine."""

    path: Path
    """A file, or the prefix of several."""
    sha256: str | None
    """Of the file as it was given, archive or not, in hexadecimal; none where there are several."""


@contextmanager
def at_hand(place: str, *, sha256: str | None = None, progress: bool = True) -> Iterator[AtHand]:
    """The checkpoint at ``place``: a file, the prefix of several, a ``.tar.gz``, or an address.

    What is downloaded or unpacked lies in a temporary folder until the block ends. ``sha256`` is
    what the file at ``place`` must have. Raises ``InputError`` if it has another, or the checkpoint
    cannot be had.
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
    """Write the content of the archive's ``MEMBER`` to ``target``: no path, link or mode of it."""
    try:
        with gzip.open(archive) as unpacked:
            limited: Any = _Limited(unpacked, place)  # all that a stream of tarfile needs
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
        # tarfile goes one call deeper for each header that is about the next one
        raise InputError(f"{place} cannot be unpacked: it is damaged, or no .tar.gz.") from error
    raise InputError(f"{place} holds no file {MEMBER}.")


def _check(member: tarfile.TarInfo, place: str) -> None:
    """Raise ``InputError`` if more would be written than the archive's stream may hold."""
    if member.issparse():  # its holes are in no stream, and may have any size
        raise InputError(f"{MEMBER} in {place} is kept as a sparse file, which is not taken.")
    if member.size > MAX_BYTES:
        raise _too_much(place)


def _too_much(place: str) -> InputError:
    return InputError(f"{place} unpacks to more than the {MAX_BYTES} bytes allowed.")


class _Limited:
    """What is unpacked, ``MAX_BYTES`` at most: an archive may be made to unpack to anything."""

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
