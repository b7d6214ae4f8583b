"""Labelled pictures on disk: ``DIR/cat/*`` and ``DIR/dog/*``."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import InputError, RejectedRequest
from catdog_stream.models.backbone import Pictures
from catdog_stream.models.manifest import CLASSES
from catdog_stream.models.pictures import Picture, PictureLimits, decode


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A file that somebody says shows a cat or a dog."""

    path: Path
    is_dog: bool


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that is no picture we can read, and why."""

    path: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class LabelledBatch:
    """The readable pictures of some files, and the files that are not."""

    pictures: Pictures
    is_dog: npt.NDArray[np.bool_]
    unreadable: list[Unreadable]


def labelled_files(directory: Path) -> list[LabelledFile]:
    """The files below ``directory/cat`` and ``directory/dog``, sorted by class and name.

    Hidden files are left out. Raises ``InputError`` if a folder is missing or empty.
    """
    if not directory.is_dir():
        raise InputError(f"There is no folder {directory}.")
    found: list[LabelledFile] = []
    for label in CLASSES:
        folder = directory / label
        if not folder.is_dir():
            raise InputError(f"{directory} has no subfolder {label}.")
        paths = sorted(
            path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
        )
        if not paths:
            raise InputError(f"{folder} is empty.")
        found += [LabelledFile(path, label == "dog") for path in paths]
    return found


def read_batches(
    files: list[LabelledFile], *, size: int, threads: int, batch: int = 64
) -> Iterator[LabelledBatch]:
    """Decode ``files`` in order, ``batch`` at a time."""
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(files), batch):
            chunk = files[start : start + batch]
            results = list(pool.map(lambda file: _read(file, size), chunk))
            readable = [
                (picture, file.is_dog)
                for file, picture in zip(chunk, results, strict=True)
                if not isinstance(picture, Unreadable)
            ]
            yield LabelledBatch(
                pictures=np.array([p for p, _ in readable], np.uint8).reshape(-1, size, size, 3),
                is_dog=np.array([is_dog for _, is_dog in readable], np.bool_),
                unreadable=[result for result in results if isinstance(result, Unreadable)],
            )


def _read(file: LabelledFile, size: int) -> Picture | Unreadable:
    try:
        return decode(file.path.read_bytes(), size=size, limits=PictureLimits())
    except RejectedRequest as error:
        return Unreadable(str(file.path), error.reason, error.detail)
    except OSError as error:
        return Unreadable(str(file.path), "unreadable_file", f"{error.strerror}.")
