"""Evaluation of a stack on labelled pictures that are turned, mirrored or corrupted.

Each picture is decoded and changed once for all members of a jury. The members get the changed
picture as the bytes of a file, as in a worker. ``corruptions`` has the corruptions and their
amounts. The same pictures in the same order give the same results.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image
from tqdm import tqdm

from catdog_stream.models.classifier import Classifier
from catdog_stream.models.training.corruptions import CORRUPTIONS, TURNS, Corruption
from catdog_stream.models.training.intervals import Interval, as_text, share_interval
from catdog_stream.models.training.labelled import (
    LabelledFile,
    Unreadable,
    check_each_class,
    labelled_files,
    lines_about,
    read_whole_picture,
)

__all__ = [
    "HEADS",
    "Robustness",
    "ViewResult",
    "chosen",
    "evaluate_robustness",
    "measure_robustness",
]

_BATCH = 32
#: Longer sides are shrunk first, since the corruption of a camera's picture would take seconds.
_LONGEST_SIDE = 1024

_View = Callable[[Image.Image, np.random.Generator], Image.Image]


@dataclass(frozen=True, slots=True)
class ViewResult:
    """Statistics of the verdicts on one view of all pictures."""

    view: str
    pictures: int
    right: int
    """Number of pictures whose likeliest class is the true class, even if they are unknown."""
    unknown: int | None
    """Number of unknown pictures; ``None`` if the stack has no out-of-distribution score."""

    @property
    def accuracy(self) -> float:
        """The share of correct verdicts, 0 to 1."""
        return self.right / self.pictures

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the accuracy."""
        return share_interval(self.right, self.pictures)

    def as_json(self) -> dict[str, Any]:
        """Return the result as an object that ``json`` can write."""
        return {**asdict(self), "accuracy": self.accuracy, "interval": list(self.interval)}

    def as_row(self) -> tuple[str, ...]:
        """Return view, accuracy and share of unknown, each with its interval, for people."""
        unknown = between = ""
        if self.unknown is not None:
            unknown = f"{self.unknown / self.pictures:.2%}"
            between = as_text(share_interval(self.unknown, self.pictures))
        return self.view, f"{self.accuracy:.2%}", as_text(self.interval), unknown, between


HEADS = ("view", "accuracy", "95 % interval", "unknown", "95 % interval")
"""Names of the columns of ``ViewResult.as_row``."""


@dataclass(frozen=True, slots=True)
class Robustness:
    """A stack's verdicts on every view of labelled pictures."""

    stack: str
    """Name and version."""
    engine: str
    results: tuple[ViewResult, ...]
    unreadable: list[Unreadable] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the result as an object that ``json`` can write."""
        return {
            "stack": self.stack,
            "engine": self.engine,
            "views": [result.as_json() for result in self.results],
            "unreadable": [asdict(file) for file in self.unreadable],
        }

    def as_table(self) -> str:
        """Return the result as text for people."""
        rows = [HEADS, *(result.as_row() for result in self.results)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
        lines = [
            f"stack     {self.stack}, run by {self.engine}",
            f"pictures  {self.results[0].pictures}",
            "",
        ]
        for view, *values in rows:
            cells = (f"{value:>{width}}" for value, width in zip(values, widths[1:], strict=True))
            lines.append("  ".join((f"{view:<{widths[0]}}", *cells)).rstrip())
        if self.unreadable:
            lines += ["", f"left out, unreadable: {len(self.unreadable)}"]
            lines += [f"  {line}" for line in lines_about(self.unreadable)]
        return "\n".join(lines)


def evaluate_robustness(
    classifier: Classifier, directory: Path, *, sample: int | None, threads: int
) -> Robustness:
    """Measure ``classifier`` on the views of the pictures in ``directory/<class>/*``.

    Uses ``sample`` pictures, or all. Raises ``InputError`` if a folder is missing or has no
    readable picture.
    """
    files = chosen(labelled_files(directory, tuple(classifier.classes)), sample)
    labels: list[int] = []
    result = measure_robustness(classifier, files, threads=threads, seen=labels)
    check_each_class(directory, np.array(labels, np.intp), tuple(classifier.classes))
    return result


_Item = TypeVar("_Item")


def chosen(files: Sequence[_Item], sample: int | None) -> list[_Item]:
    """Return ``sample`` of ``files`` at even distances, which keeps the shares of the classes."""
    if sample is None or sample >= len(files):
        return list(files)
    return [files[number * len(files) // sample] for number in range(sample)]


def measure_robustness(
    classifier: Classifier,
    files: Sequence[LabelledFile],
    *,
    threads: int,
    progress: bool = True,
    seen: list[int] | None = None,
) -> Robustness:
    """Measure ``classifier`` on every view of the readable pictures in ``files``.

    Appends the label of each readable picture to ``seen``.
    """
    views = _views()
    counts = {view: _Count() for view in views}
    unreadable: list[Unreadable] = []
    classifier.warm_up()
    with (
        ThreadPoolExecutor(threads) as pool,
        tqdm(total=len(files), unit="picture", desc="robustness", disable=not progress) as bar,
    ):
        for start in range(0, len(files), _BATCH):
            part = files[start : start + _BATCH]
            pictures: list[tuple[int, int, Image.Image]] = []
            for number, (file, found) in enumerate(zip(part, pool.map(_read, part), strict=True)):
                if isinstance(found, Unreadable):
                    unreadable.append(found)
                else:
                    pictures.append((start + number, file.label, found))
            labels = [label for _, label, _ in pictures]
            for place, (view, change) in enumerate(views.items()):
                prepared = pool.map(partial(_prepare, classifier, change, place), pictures)
                counts[view].add(classifier, list(prepared), labels)
            if seen is not None:
                seen += labels
            bar.update(len(part))
    return Robustness(
        stack=f"{classifier.name} {classifier.version}",
        engine=classifier.engine,
        results=tuple(count.result(view) for view, count in counts.items() if count.pictures),
        unreadable=unreadable,
    )


@dataclass(slots=True)
class _Count:
    """Running counts of the verdicts on a view."""

    pictures: int = 0
    right: int = 0
    unknown: int = 0
    scored: bool = True
    """True if every verdict has an out-of-distribution score."""

    def add(self, classifier: Classifier, prepared: list[Any], labels: Sequence[int]) -> None:
        for verdict, label in zip(classifier.classify(prepared), labels, strict=True):
            self.pictures += 1
            self.right += verdict.likeliest == classifier.classes[label]
            self.unknown += verdict.unknown
            self.scored = self.scored and verdict.familiarity is not None

    def result(self, view: str) -> ViewResult:
        unknown = self.unknown if self.scored or self.unknown else None
        return ViewResult(view, self.pictures, self.right, unknown)


def _views() -> Mapping[str, _View]:
    """Return name and function of each view, in the order of the table."""
    views: dict[str, _View] = {"as it is": lambda image, _: image}
    for name, turn in {**TURNS, "mirrored": Image.Transpose.FLIP_LEFT_RIGHT}.items():
        views[name] = partial(_transposed, turn)
    for name, corruption in CORRUPTIONS.items():
        views[name] = partial(_corrupted, corruption)
    return views


def _transposed(turn: Image.Transpose, image: Image.Image, _: np.random.Generator) -> Image.Image:
    return image.transpose(turn)


def _corrupted(
    corruption: Corruption, image: Image.Image, random: np.random.Generator
) -> Image.Image:
    return corruption.apply(image, corruption.usual, random)


def _read(file: LabelledFile) -> Image.Image | Unreadable:
    return read_whole_picture(file.path, _LONGEST_SIDE)


def _prepare(
    classifier: Classifier, view: _View, place: int, picture: tuple[int, int, Image.Image]
) -> Any:
    """Return the view of a picture, prepared by ``classifier`` from the bytes of a BMP file."""
    number, _, image = picture
    stream = io.BytesIO()
    view(image, np.random.default_rng((number, place))).save(stream, "BMP")
    return classifier.prepare(stream.getvalue())
