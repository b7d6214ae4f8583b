"""Measure a stack on labelled pictures: how often it is right, and how well it knows."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from catdog_stream.errors import InputError
from catdog_stream.models.labelled import Unreadable, labelled_files, read_batches
from catdog_stream.models.stack import ModelStack

Labels = npt.NDArray[np.bool_]
"""True where the picture shows a dog, shape [n]."""

Chances = npt.NDArray[np.float64]
"""Chance of a dog in 0 to 1, shape [n]."""

CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many pictures of each class got which verdict."""

    cat_as_cat: int
    cat_as_dog: int
    dog_as_cat: int
    dog_as_dog: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a stack did."""

    stack: str
    """Name and version."""
    engine: str
    pictures: int
    accuracy: float
    """Share of right verdicts, 0 to 1."""
    log_loss: float
    """Mean negative natural logarithm of the chance given to the true class."""
    calibration_error: float
    """Expected calibration error with 15 bins, 0 to 1."""
    confusion: Confusion
    pictures_per_second: float
    """From files to verdicts, without loading the stack."""
    unreadable: list[Unreadable] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The evaluation as an object that ``json`` can write."""
        return asdict(self)

    def as_table(self) -> str:
        """The evaluation as a few lines for people."""
        counts = self.confusion
        lines = [
            f"stack              {self.stack}, run by {self.engine}",
            f"pictures           {self.pictures}",
            f"accuracy           {self.accuracy:.2%}",
            f"log loss           {self.log_loss:.4f}",
            f"calibration error  {self.calibration_error:.4f}",
            f"pictures/s         {self.pictures_per_second:.1f}",
            "",
            f"{'':<12}{'verdict cat':>12}{'verdict dog':>12}",
            f"{'cat':<12}{counts.cat_as_cat:>12}{counts.cat_as_dog:>12}",
            f"{'dog':<12}{counts.dog_as_cat:>12}{counts.dog_as_dog:>12}",
        ]
        if self.unreadable:
            lines += ["", f"left out, unreadable: {len(self.unreadable)}"]
            lines += [f"  {file.path}: {file.detail}" for file in self.unreadable]
        return "\n".join(lines)


def evaluate(stack: ModelStack, directory: Path, *, progress: bool = True) -> Evaluation:
    """Measure ``stack`` on ``directory/cat/*`` and ``directory/dog/*``.

    Raises ``InputError`` if the folders are missing or hold no readable picture of both classes.
    """
    files = labelled_files(directory)
    unreadable: list[Unreadable] = []
    labels: list[Labels] = []
    chances: list[float] = []
    stack.warm_up()
    started = time.perf_counter()
    with tqdm(total=len(files), unit="picture", desc="evaluate", disable=not progress) as bar:
        for batch in read_batches(files, size=stack.input_size, threads=stack.threads):
            chances += [verdict.dog for verdict in stack.classify(batch.pictures)]
            labels.append(batch.is_dog)
            unreadable += batch.unreadable
            bar.update(len(batch.pictures) + len(batch.unreadable))
    seconds = time.perf_counter() - started
    is_dog, dog = np.concatenate(labels), np.array(chances, np.float64)
    if not 0 < is_dog.sum() < len(is_dog):
        raise InputError(f"{directory} holds no readable pictures of both classes.")
    return Evaluation(
        stack=f"{stack.name} {stack.version}",
        engine=stack.engine,
        pictures=len(dog),
        accuracy=accuracy(is_dog, dog),
        log_loss=log_loss(is_dog, dog),
        calibration_error=calibration_error(is_dog, dog),
        confusion=confusion(is_dog, dog),
        pictures_per_second=len(dog) / seconds,
        unreadable=unreadable,
    )


def accuracy(is_dog: Labels, dog: Chances) -> float:
    """Share of pictures whose likelier class is the true one."""
    return float(np.mean((dog > 0.5) == is_dog))


def log_loss(is_dog: Labels, dog: Chances) -> float:
    """Mean negative natural logarithm of the chance of the true class.

    Chances are held above 1e-7, the step of float32 near 1, so a wrong certainty stays finite.
    """
    true_class = np.where(is_dog, dog, 1 - dog)
    return float(-np.mean(np.log(np.maximum(true_class, 1e-7))))


def calibration_error(is_dog: Labels, dog: Chances, bins: int = CALIBRATION_BINS) -> float:
    """Expected calibration error: how far, on average, confidence and accuracy lie apart.

    The confidence is the chance of the likelier class; bins have equal width in 0 to 1 (Guo et
    al., "On Calibration of Modern Neural Networks", 2017, equation 3).
    """
    confidence = np.maximum(dog, 1 - dog)
    right = (dog > 0.5) == is_dog
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(index, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(dog))


def confusion(is_dog: Labels, dog: Chances) -> Confusion:
    """Counts of true class against verdict."""
    verdict = dog > 0.5
    return Confusion(
        cat_as_cat=int(np.sum(~is_dog & ~verdict)),
        cat_as_dog=int(np.sum(~is_dog & verdict)),
        dog_as_cat=int(np.sum(is_dog & ~verdict)),
        dog_as_dog=int(np.sum(is_dog & verdict)),
    )
