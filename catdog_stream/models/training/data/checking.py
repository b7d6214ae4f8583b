"""Validation of all pictures, before any expensive step.

Misleading data is refused: a class with few pictures, a picture in two classes, or a picture both
in training and in evaluation. Of other duplicates one picture is kept, so that no picture of the
evaluation has a copy in the training.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from catdog_stream.errors import InputError
from catdog_stream.models.pictures import Picture, PictureLimits
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.training.data.duplicates import DETAIL, THUMBNAIL, Look, Sameness
from catdog_stream.models.training.data.grouping import groups_of
from catdog_stream.models.training.labelled import (
    WORKER_LIMITS,
    LabelledFile,
    Unreadable,
    labelled_files,
    read_picture,
)

__all__ = ["Checked", "Duplicate", "Example", "check"]

#: Least pictures of a class, without duplicates.
LEAST_TO_TRAIN, LEAST_TO_EVALUATE = 20, 5
#: Largest number of pairs of files in an error message.
_NAMED_PAIRS = 10
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Example:
    """A readable labelled picture."""

    file: LabelledFile
    sha256: str
    group: str | None = None
    """Name of its group of related pictures; ``None``: it is a group of its own."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two files with the same picture."""

    path: Path
    first: Path
    identical: bool
    """True if the bytes are the same, too."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Validated pictures, sorted by their contents and not by the names of the files."""

    classes: tuple[str, ...]
    training: tuple[Example, ...]
    evaluation: tuple[Example, ...]
    """Pictures of the evaluation folder; empty if there is none."""
    unreadable: tuple[Unreadable, ...]
    duplicates: tuple[Duplicate, ...]


def check(
    training: Path,
    classes: Sequence[str],
    evaluation: Path | None = None,
    *,
    group: str | None = None,
    threads: int,
    limits: PictureLimits = WORKER_LIMITS,
    progress: bool = True,
) -> Checked:
    """Read and validate every file in ``training/<class>/`` and ``evaluation/<class>/``.

    A picture that exceeds ``limits``, those of a worker, is left out. ``group`` is the option of
    ``groups_of``.

    Raises ``InputError`` if the data is misleading.
    """
    folders = [training] if evaluation is None else [training, evaluation]
    files = [labelled_files(folder, classes) for folder in folders]
    every = [file for listed in files for file in listed]
    groups = groups_of(group, every, folders) if group is not None else {}
    unreadable: list[Unreadable] = []
    found: list[list[Example]] = []
    duplicates: list[Duplicate] = []
    same = _Copies()
    bar: tqdm[Any] = tqdm(
        total=sum(map(len, files)), unit="picture", desc="check", disable=not progress
    )
    with bar:
        for listed in files:
            seen = list(_read(listed, unreadable, threads, limits, bar))
            found.append([same.add(*each, duplicates) for each in sorted(seen, key=_content)])
    _refuse_clashes(found, duplicates)
    copies = {each.path for each in duplicates}
    found = [
        [
            replace(each, group=groups.get(each.file.path))
            for each in part
            if each.file.path not in copies
        ]
        for part in found
    ]
    _refuse_few_groups(classes, found)
    for folder, part, least in zip(
        folders, found, (LEAST_TO_TRAIN, LEAST_TO_EVALUATE), strict=False
    ):
        _refuse_few(folder, classes, part, unreadable, least)
    return Checked(
        classes=tuple(classes),
        training=tuple(found[0]),
        evaluation=tuple(found[1]) if evaluation is not None else (),
        unreadable=tuple(unreadable),
        duplicates=tuple(duplicates),
    )


_Seen = tuple[LabelledFile, str, Picture]
"""File, SHA-256 of its bytes, and thumbnail."""


def _content(seen: _Seen) -> tuple[str, int, str]:
    file, sha256, _ = seen
    return sha256, file.label, file.path.name


def _read(
    files: Sequence[LabelledFile],
    unreadable: list[Unreadable],
    threads: int,
    limits: PictureLimits,
    bar: "tqdm[Any]",
) -> Iterator[_Seen]:
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(files), _CHUNK):
            chunk = files[start : start + _CHUNK]
            for file, result in zip(
                chunk, pool.map(lambda file: _look(file, limits), chunk), strict=True
            ):
                if isinstance(result, Unreadable):
                    unreadable.append(result)
                else:
                    yield file, *result
            bar.update(len(chunk))


def _look(file: LabelledFile, limits: PictureLimits) -> tuple[str, Picture] | Unreadable:
    picture = read_picture(file.path, Preprocessing(THUMBNAIL), limits)
    if isinstance(picture, Unreadable):
        return picture
    with file.path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), picture


class _Copies:
    """Index of the pictures so far, which finds the first file with the same picture."""

    def __init__(self) -> None:
        self._by_hash: dict[str, Example] = {}
        self._by_path: dict[Path, Example] = {}
        self._same = Sameness(_detail)

    def add(
        self, file: LabelledFile, sha256: str, thumbnail: Picture, duplicates: list[Duplicate]
    ) -> Example:
        first = self._by_hash.get(sha256)
        identical = first is not None
        if first is None and (path := self._same.find(file.path, Look.of(thumbnail))) is not None:
            first = self._by_path[path]
        if first is not None:
            duplicates.append(Duplicate(file.path, first.file.path, identical))
        example = Example(file, sha256)
        self._by_hash.setdefault(sha256, example)
        self._by_path[file.path] = example
        return example


def _detail(path: Path) -> Picture | None:
    picture = read_picture(path, Preprocessing(DETAIL))
    return None if isinstance(picture, Unreadable) else picture


def _refuse_clashes(found: Sequence[Sequence[Example]], duplicates: Sequence[Duplicate]) -> None:
    labels = {each.file.path: each.file.label for part in found for each in part}
    clashes = [pair for pair in duplicates if labels[pair.path] != labels[pair.first]]
    if clashes:
        raise InputError(
            f"{_named(clashes)} under two classes: remove at least one of each pair, "
            "whichever is in the wrong folder."
        )
    to_train = {each.file.path for each in found[0]}
    clashes = [pair for pair in duplicates if pair.first in to_train and pair.path not in to_train]
    if clashes:
        raise InputError(
            f"{_named(clashes)} both to train and to evaluate on, which would tell nothing of "
            "pictures that the stack has not seen: remove one of each pair."
        )


def _refuse_few_groups(classes: Sequence[str], found: Sequence[Sequence[Example]]) -> None:
    """Refuse groups that are in both folders, and classes with too few groups for a split."""
    training, *evaluation = ({each.group for each in part} - {None} for part in found)
    if evaluation and (shared := training & evaluation[0]):
        raise InputError(
            f"The group {min(map(str, shared))} has pictures both to train and to evaluate on: "
            "keep the pictures of a group in one of the two folders."
        )
    least = 2 if evaluation else 3
    for number, name in enumerate(classes):
        groups = {each.group or each.sha256 for each in found[0] if each.file.label == number}
        if training and len(groups) < least:
            raise InputError(
                f"{name} has {len(groups)} of the {least} groups of pictures that are needed to "
                "train, to choose and to evaluate on different ones."
            )


def _named(clashes: Sequence[Duplicate]) -> str:
    pairs = "; ".join(f"{pair.first} and {pair.path}" for pair in clashes[:_NAMED_PAIRS])
    more = f"; and {len(clashes) - _NAMED_PAIRS} more pairs" if len(clashes) > _NAMED_PAIRS else ""
    which = "The same picture is" if len(clashes) == 1 else "The same pictures are"
    return f"{which} in {pairs}{more},"


def _refuse_few(
    folder: Path,
    classes: Sequence[str],
    part: Sequence[Example],
    unreadable: Sequence[Unreadable],
    least: int,
) -> None:
    for number, name in enumerate(classes):
        count = sum(each.file.label == number for each in part)
        if count < least:
            left_out = [each for each in unreadable if Path(each.path).parent == folder / name]
            hint = (
                f" {len(left_out)} of its files cannot be read, such as "
                f"{Path(left_out[0].path).name}: {left_out[0].detail}"
                if left_out
                else ""
            )
            raise InputError(
                f"{folder / name} has {count} different pictures that can be read, "
                f"{least} are needed.{hint}"
            )
