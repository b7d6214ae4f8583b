"""Labelled pictures on disk: ``DIR/<class>/*``."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from catdog_stream.errors import InputError, RejectedRequest
from catdog_stream.models.classes import checked_classes
from catdog_stream.models.engines.backbone import Pictures
from catdog_stream.models.pictures import Picture, PictureLimits, decode
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.whole_pictures import decode_whole

#: Limits of a worker with default settings.
WORKER_LIMITS = PictureLimits()
#: Limits for files that were read before with the limits of a worker: the largest of its settings.
ADMITTED = PictureLimits(max_bytes=512 * 1024 * 1024, max_pixels=1_000_000_000)
#: Largest number of left out files that are named.
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A file of a picture, with its label."""

    path: Path
    label: int
    """Index of the class."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that cannot be read as a picture, and the reason."""

    path: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class LabelledBatch:
    """A batch of decoded pictures with labels, and the unreadable files."""

    files: list[LabelledFile]
    """File of each picture."""
    pictures: Pictures
    labels: npt.NDArray[np.intp]
    """Index of the class of each picture, [n]."""
    unreadable: list[Unreadable]


def classes_in(directory: Path) -> tuple[str, ...]:
    """Return the sorted names of the folders in ``directory``: the classes for training.

    Raises ``InputError`` if a name is not a valid class, or there are fewer than two.
    """
    if not directory.is_dir():
        raise InputError(f"There is no folder {directory}.")
    folders = sorted(path.name for path in directory.iterdir() if path.is_dir())
    names = [name for name in folders if not name.startswith(".")]
    try:
        return checked_classes(names)
    except ValueError as error:
        raise InputError(f"{directory} has no folder for each class: {error}.") from error


def labelled_files(directory: Path, classes: Sequence[str]) -> list[LabelledFile]:
    """Return the files in the folder of each class in ``directory``, sorted by class and name.

    Skips hidden files. Includes folders, broken links and special files, which ``read_file``
    refuses by name. Raises ``InputError`` if a folder is missing or empty.
    """
    if not directory.is_dir():
        raise InputError(f"There is no folder {directory}.")
    found: list[LabelledFile] = []
    for number, label in enumerate(classes):
        folder = directory / label
        if not folder.is_dir():
            raise InputError(f"{directory} has no subfolder {label}.")
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        if not paths:
            raise InputError(f"{folder} is empty.")
        found += [LabelledFile(path, number) for path in paths]
    return found


def read_batches(
    files: Sequence[LabelledFile],
    wanted: Preprocessing,
    *,
    threads: int,
    limits: PictureLimits = ADMITTED,
    batch: int = 64,
) -> Iterator[LabelledBatch]:
    """Decode ``files`` in order as ``wanted``, ``batch`` at a time."""
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(files), batch):
            chunk = files[start : start + batch]
            results = list(pool.map(lambda file: read_picture(file.path, wanted, limits), chunk))
            readable = [
                (picture, file)
                for file, picture in zip(chunk, results, strict=True)
                if not isinstance(picture, Unreadable)
            ]
            yield LabelledBatch(
                files=[file for _, file in readable],
                pictures=np.array([p for p, _ in readable], np.uint8).reshape(-1, *wanted.shape),
                labels=np.array([file.label for _, file in readable], np.intp),
                unreadable=[result for result in results if isinstance(result, Unreadable)],
            )


def typical_pictures(
    directory: Path, wanted: Preprocessing, count: int, *, threads: int, limits: PictureLimits
) -> tuple[Pictures, list[Unreadable]]:
    """Return about ``count`` pictures of ``directory/<class>/*``, each class in proportion.

    Returns all pictures if there are fewer, and the files that were left out. Raises
    ``InputError`` if no picture is readable.
    """
    files = labelled_files(directory, classes_in(directory))
    chosen = files[:: -(-len(files) // count)]
    batches = list(read_batches(chosen, wanted, threads=threads, limits=limits))
    pictures = np.concatenate([batch.pictures for batch in batches])
    if not len(pictures):
        raise InputError(f"{directory} holds no picture that can be read.")
    return pictures, [file for batch in batches for file in batch.unreadable]


def read_picture(
    path: Path, wanted: Preprocessing, limits: PictureLimits = ADMITTED
) -> Picture | Unreadable:
    """Decode a file as ``wanted``. Thread-safe."""
    return read_file(path, lambda data: decode(data, wanted, limits))


def read_whole_picture(path: Path, longest_side: int) -> Image.Image | Unreadable:
    """Decode a file to an upright RGB picture with its original aspect ratio. Thread-safe.

    Shrinks a picture whose longer side exceeds ``longest_side`` pixels to that size.
    """
    return read_file(path, lambda data: decode_whole(data, longest_side, ADMITTED))


_Read = TypeVar("_Read")


def read_file(path: Path, decoded: Callable[[bytes], _Read]) -> _Read | Unreadable:
    """Return the result of ``decoded`` for the bytes of a file, unless it rejects them."""
    try:
        if not path.is_file():  # to open a pipe may take forever
            return Unreadable(str(path), "not_a_file", _kind(path))
        return decoded(path.read_bytes())
    except RejectedRequest as error:
        return Unreadable(str(path), error.reason, error.detail)
    except OSError as error:
        return Unreadable(str(path), "unreadable_file", f"{error.strerror}.")


def _kind(path: Path) -> str:
    if path.is_dir():
        return "It is a folder, whose files are not read."
    return "It is no regular file." if path.exists() else "It is a link to a missing file."


def lines_about(unreadable: Sequence[Unreadable]) -> list[str]:
    """Return path and reason of the first files that were left out, and a count of the others."""
    lines = [f"{file.path}: {file.detail}" for file in unreadable[:_MOST_NAMED]]
    if others := Counter(file.reason for file in unreadable[_MOST_NAMED:]):
        counts = ", ".join(f"{count} {reason}" for reason, count in others.most_common())
        lines.append(f"and {others.total()} more files: {counts}.")
    return lines


def check_each_class(directory: Path, labels: npt.NDArray[np.intp], classes: Sequence[str]) -> None:
    """Raise ``InputError`` unless there is a readable picture of each class."""
    for number, label in enumerate(classes):
        if not (labels == number).any():
            raise InputError(f"{directory} holds no readable picture of {label}.")
