"""Evaluation of a stack on labelled pictures: accuracy, log loss and calibration."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import to_builtins
from tqdm import tqdm

from catdog_stream.models.classifier import Classifier
from catdog_stream.models.stacks.reference import Reference
from catdog_stream.models.training.classified import classified
from catdog_stream.models.training.intervals import (
    Interval,
    as_text,
    mean_interval,
    share_interval,
)
from catdog_stream.models.training.labelled import (
    LabelledFile,
    Unreadable,
    check_each_class,
    labelled_files,
    lines_about,
)
from catdog_stream.models.verdict import UNKNOWN, Verdict

Labels = npt.NDArray[np.intp]
"""Index of the true class of each picture, shape [n]."""

Probabilities = npt.NDArray[np.float64]
"""Probability of each class in 0 to 1, float64, shape [n, classes]."""

#: Number of mistakes in the table.
MISTAKES_SHOWN = 10

Confusion = dict[str, dict[str, int]]
"""True class to verdict to the number of pictures. With more than ``MOST_IN_TABLE`` classes, the
verdicts that a class never gets are left out."""

MOST_IN_TABLE = 16
"""Largest number of classes of a table of all classes against all verdicts."""
#: Number of the most frequent confusions in a list that replaces the table.
_CONFUSIONS_SHOWN = 20

CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True)
class Answers:
    """The verdicts of a stack on labelled pictures."""

    files: list[LabelledFile]
    """Readable files."""
    labels: Labels
    probabilities: Probabilities
    reference: Reference
    """Statistics of the verdicts, for a stack's manifest."""
    unreadable: list[Unreadable]
    seconds: float
    """Time from files to verdicts."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A file whose likeliest class is not its class."""

    path: str
    label: str
    """Name of the class."""
    verdict: str
    probability: float
    """Probability of the verdict, 0 to 1."""
    label_probability: float
    """Probability of the class, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The quality of a stack on labelled pictures.

    The verdict counts as the likeliest class, even if the picture is ``unknown``.
    """

    stack: str
    """Name and version."""
    engine: str
    pictures: int
    accuracy: float
    """Share of correct verdicts, 0 to 1."""
    log_loss: float
    """Mean negative natural logarithm of the probability of the true class."""
    calibration_error: float
    """Expected calibration error with 15 bins, 0 to 1."""
    confusion: Confusion
    pictures_per_second: float
    """Throughput from files to verdicts, without the time to load the stack."""
    reference: Reference
    """Statistics of the verdicts, for the manifest."""
    intervals: dict[str, Interval] = field(default_factory=dict)
    """Intervals of 95 % of ``accuracy``, ``log_loss`` and ``unknown``, the share of such
    verdicts."""
    unreadable: list[Unreadable] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    """All mistakes, the lowest probability of the class first."""

    def as_json(self) -> dict[str, Any]:
        """Return the evaluation as an object that ``json`` can write."""
        document = to_builtins(self)
        return {**document, "reference": {"familiarity": None, **document["reference"]}}

    def as_table(self) -> str:
        """Return the evaluation as text for people."""
        lines = [
            f"stack              {self.stack}, run by {self.engine}",
            f"pictures           {self.pictures}",
            f"accuracy           {self.accuracy:.2%}{self.between('accuracy')}",
            f"log loss           {self.log_loss:.4f}{self.between('log_loss')}",
            f"calibration error  {self.calibration_error:.4f}",
            f"pictures/s         {self.pictures_per_second:.1f}",
            *self._unknown(),
            "",
            *confusion_lines(self.confusion),
            *self._mistakes(),
        ]
        if self.unreadable:
            lines += ["", f"left out, unreadable: {len(self.unreadable)}"]
            lines += [f"  {line}" for line in lines_about(self.unreadable)]
        return "\n".join(lines)

    def between(self, name: str) -> str:
        """Return the interval of a figure in brackets, for people; nothing if it has none."""
        if name not in self.intervals:
            return ""
        low, high = self.intervals[name]
        return f" ({low:.4f} to {high:.4f})" if name == "log_loss" else f" ({as_text((low, high))})"

    def _unknown(self) -> Iterator[str]:
        if (unknown := self.reference.verdicts.get(UNKNOWN)) is not None:
            share = unknown / self.pictures
            yield f"called unknown     {share:.2%}{self.between('unknown')}"

    def _mistakes(self) -> Iterator[str]:
        if self.mistakes:
            yield from ("", f"mistakes, the worst first: {len(self.mistakes)}")
        for each in self.mistakes[:MISTAKES_SHOWN]:
            of_label = f"{each.label} {each.label_probability:.1%}"
            yield f"  {each.path}: {each.verdict} {each.probability:.1%}, {of_label}"
        if more := self.mistakes[MISTAKES_SHOWN:]:
            yield f"  and {len(more)} more: evaluate --mistakes FILE lists all."


def evaluate(
    classifier: Classifier, directory: Path, *, threads: int, progress: bool = True
) -> Evaluation:
    """Measure ``classifier`` on the pictures in ``directory/<class>/*`` of its classes.

    Raises ``InputError`` if a folder is missing or has no readable picture.
    """
    files = labelled_files(directory, classifier.classes)
    answers = ask(classifier, files, threads=threads, progress=progress)
    check_each_class(directory, answers.labels, classifier.classes)
    return measure(classifier, answers)


def ask(
    classifier: Classifier, asked: Sequence[LabelledFile], *, threads: int, progress: bool = True
) -> Answers:
    """Classify the pictures in ``asked`` with ``classifier``."""
    unreadable: list[Unreadable] = []
    files: list[LabelledFile] = []
    verdicts: list[Verdict] = []
    classifier.warm_up()
    started = time.perf_counter()
    answers = classified(classifier, [file.path for file in asked], threads=threads)
    bar = tqdm(answers, total=len(asked), unit="picture", desc="evaluate", disable=not progress)
    for file, answer in zip(asked, bar, strict=True):
        if isinstance(answer, Unreadable):
            unreadable.append(answer)
        else:
            files.append(file)
            verdicts.append(answer)
    return Answers(
        files=files,
        labels=np.array([file.label for file in files], np.intp),
        probabilities=np.array(
            [list(verdict.scores.values()) for verdict in verdicts], np.float64
        ).reshape(-1, len(classifier.classes)),
        reference=Reference.of(verdicts),
        unreadable=unreadable,
        seconds=time.perf_counter() - started,
    )


def measure(classifier: Classifier, answers: Answers) -> Evaluation:
    """Return the quality of ``answers`` of ``classifier``, which have one picture or more."""
    labels, probabilities = answers.labels, answers.probabilities
    right = int(np.sum(probabilities.argmax(axis=1) == labels))
    intervals = {
        "accuracy": share_interval(right, len(labels)),
        "log_loss": mean_interval(_surprises(labels, probabilities)),
    }
    if (unknown := answers.reference.verdicts.get(UNKNOWN)) is not None:
        intervals["unknown"] = share_interval(unknown, len(labels))
    return Evaluation(
        stack=f"{classifier.name} {classifier.version}",
        engine=classifier.engine,
        pictures=len(labels),
        accuracy=accuracy(labels, probabilities),
        log_loss=log_loss(labels, probabilities),
        calibration_error=calibration_error(labels, probabilities),
        confusion=confusion(labels, probabilities, classifier.classes),
        pictures_per_second=len(labels) / answers.seconds,
        reference=answers.reference,
        intervals=intervals,
        unreadable=answers.unreadable,
        mistakes=mistakes(answers, classifier.classes),
    )


def mistakes(answers: Answers, classes: Sequence[str]) -> list[Mistake]:
    """Return the files with a wrong likeliest class, the lowest probability of the class first."""
    said = answers.probabilities.argmax(axis=1)
    of_label = answers.probabilities[np.arange(len(said)), answers.labels]
    return [
        Mistake(
            path=str(answers.files[number].path),
            label=classes[answers.labels[number]],
            verdict=classes[said[number]],
            probability=float(answers.probabilities[number, said[number]]),
            label_probability=float(of_label[number]),
        )
        for number in of_label.argsort(kind="stable").tolist()
        if said[number] != answers.labels[number]
    ]


def accuracy(labels: Labels, probabilities: Probabilities) -> float:
    """Return the share of pictures whose likeliest class is the true class."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def log_loss(labels: Labels, probabilities: Probabilities) -> float:
    """Return the mean negative natural logarithm of the probability of the true class."""
    return float(np.mean(_surprises(labels, probabilities)))


def _surprises(labels: Labels, probabilities: Probabilities) -> npt.NDArray[np.float64]:
    """Return the negative logarithm of the probability of the true class of each picture.

    Probabilities are at least 1e-7, the resolution of float32 near 1, so that the loss of a wrong
    verdict with probability 1 is finite.
    """
    true_class = probabilities[np.arange(len(labels)), labels]
    surprises: npt.NDArray[np.float64] = -np.log(np.maximum(true_class, 1e-7))
    return surprises


def calibration_error(
    labels: Labels, probabilities: Probabilities, bins: int = CALIBRATION_BINS
) -> float:
    """Return the expected calibration error: the mean difference of confidence and accuracy.

    The confidence is the probability of the likeliest class. The bins have equal widths in 0 to 1
    (Guo et al., "On Calibration of Modern Neural Networks", 2017, equation 3).
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(index, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def confusion(labels: Labels, probabilities: Probabilities, classes: Sequence[str]) -> Confusion:
    """Return the confusion matrix."""
    verdicts = probabilities.argmax(axis=1)
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (labels, verdicts), 1)
    least = 0 if len(classes) <= MOST_IN_TABLE else 1
    return {
        label: {
            verdict: count for verdict, count in zip(classes, row, strict=True) if count >= least
        }
        for label, row in zip(classes, counts.tolist(), strict=True)
    }


def most_confused(confusion: Mapping[str, Mapping[str, int]]) -> list[tuple[int, str, str]]:
    """Return number, true class and verdict of the most frequent confusions."""
    wrong = (
        (count, label, verdict)
        for label, verdicts in confusion.items()
        for verdict, count in verdicts.items()
        if verdict != label and count
    )
    return nlargest(_CONFUSIONS_SHOWN, wrong, key=lambda each: each[0])


def confusion_lines(
    confusion: Mapping[str, Mapping[str, int]],
    *,
    row: str = "",
    column: str = "verdict ",
    title: str = "confusions",
) -> Iterator[str]:
    """Yield the lines of a table, or of a list of the most frequent confusions of many classes.

    Args:
        confusion: class of a row to class of a column to number. A missing number is 0.
        row: text in front of each class of a row.
        column: text in front of each class of a column.
        title: plural of what the list has.
    """
    columns = set(chain.from_iterable(confusion.values()))
    classes = [label for label in confusion if label in columns]
    classes += sorted(columns - confusion.keys())
    if max(len(confusion), len(classes)) > MOST_IN_TABLE:
        yield f"{title}, the most frequent first"
        for count, label, verdict in most_confused(confusion):
            yield f"  {label}: {count} times {verdict}"
        return
    names = [*(row + label for label in confusion), *(column + name for name in classes)]
    width = max(12, *(len(name) + 1 for name in names))
    yield " " * width + "".join(f"{column + name:>{width}}" for name in classes)
    for label, verdicts in confusion.items():
        cells = "".join(f"{verdicts.get(name, 0):>{width}}" for name in classes)
        yield f"{row + label:<{width}}{cells}"
