"""Check of an imported stack on pictures: quality, calibration, OOD score and golden pictures."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from catdog_stream.errors import InputError
from catdog_stream.folders import entries_below
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.golden import keep
from catdog_stream.models.stacks.loading import cpu_engine
from catdog_stream.models.stacks.locate import samples
from catdog_stream.models.stacks.manifest import MAX_GOLDEN, Golden, Manifest, load_manifest
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.training.classified import classified
from catdog_stream.models.training.evaluation import Answers, Evaluation, ask, measure
from catdog_stream.models.training.fit_ood import add_ood_score
from catdog_stream.models.training.head_training import quality_record
from catdog_stream.models.training.labelled import LabelledFile, Unreadable, labelled_files
from catdog_stream.models.training.stack.calibrating import calibrate
from catdog_stream.models.verdict import Verdict

__all__ = ["Checked", "check_files", "check_stack", "labelled"]

#: Largest number of pictures without a class that are classified, and that are kept.
_CHECKED, _KEPT = 32, 8
#: Least pictures for a calibration, and least of each class: it shifts the classes by their share.
_LEAST_CALIBRATED, _LEAST_OF_A_CLASS = 50, 5
_FOLDS = 5
#: Smallest probability with a logarithm of its own.
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Checked:
    """The manifest of a stack with what the pictures showed, and their verdicts."""

    manifest: Manifest
    evaluation: Evaluation | None = None
    """Quality, if the pictures have classes."""
    verdicts: Sequence[tuple[Path, Verdict | Unreadable]] = ()
    """Verdict on each picture without a class."""


def labelled(pictures: Path | None, classes: Sequence[str]) -> list[LabelledFile]:
    """Return the files of ``pictures/<class>/*``; empty if no folder has the name of a class.

    Raises ``InputError`` if some folders are no classes, or there is no folder ``pictures``.
    """
    if pictures is None:
        return []
    if not pictures.is_dir():
        raise InputError(f"There is no folder {pictures}.")
    folders = [each.name for each in pictures.iterdir() if each.is_dir()]
    names = {name for name in folders if not name.startswith(".")}
    known = [name for name in classes if name in names]
    if known and (other := sorted(names.difference(known))):
        raise InputError(f"{pictures / other[0]} is no class of the model.")
    number = {name: place for place, name in enumerate(classes)}
    return [
        LabelledFile(file.path, number[known[file.label]])
        for file in labelled_files(pictures, known)
    ]


def check_files(pictures: Path | None) -> list[Path]:
    """Return some of the pictures below a folder, or else the samples that are installed."""
    files = entries_below(samples() if pictures is None else pictures)
    return [file for file in files if pictures or file.suffix != ".md"][:_CHECKED]


def check_stack(
    directory: Path,
    manifest: Manifest,
    pictures: Path | None,
    files: Sequence[LabelledFile],
    *,
    threads: int,
    limits: PictureLimits,
    progress: bool,
) -> Checked:
    """Classify pictures with the stack in ``directory``, and complete its manifest.

    Of many labelled pictures, every second is for the calibration; the others measure.

    Args:
        directory: the stack's directory.
        manifest: its manifest.
        pictures: folder of pictures; ``None``: the samples that are installed.
        files: the pictures with labels, if they have any.
        threads: number of CPU threads.
        limits: size limits of a picture, those of a worker.
        progress: show the progress.

    Raises:
        InputError: no picture can be classified.
        StackError: the stack cannot be loaded.
    """

    def load(manifest: Manifest) -> ModelStack:
        manifest.write(directory)
        return ModelStack.load(
            directory, engine=cpu_engine(manifest), threads=threads, limits=limits
        )

    if pictures is None or not files:
        with closing(load(manifest)) as stack:
            return _unlabelled(stack, manifest, directory, pictures)
    half = files[::2]
    rarest = np.bincount([file.label for file in half], minlength=len(manifest.classes)).min()
    if len(half) >= _LEAST_CALIBRATED and rarest >= _LEAST_OF_A_CLASS:
        with closing(load(manifest)) as stack:
            calibration = _calibration(_answers(stack, half, progress))
        manifest = msgspec.structs.replace(manifest, calibration=calibration)
        files = files[1::2]
    if manifest.features:
        manifest.write(directory)
        add_ood_score(directory, pictures, threads=threads, limits=limits, progress=progress)
        manifest = load_manifest(directory)
    with closing(load(manifest)) as stack:
        answers = _answers(stack, files, progress)
        evaluation = measure(stack, answers)
        golden = _golden(stack, answers, directory)
    quality = quality_record(pictures, evaluation)
    whole = msgspec.structs.replace(
        manifest, quality=quality, reference=evaluation.reference, golden=golden
    )
    return Checked(whole, evaluation)


def _calibration(answers: Answers) -> Calibration | None:
    logits = np.log(np.maximum(answers.probabilities, _LEAST))
    return calibrate(logits, answers.labels, [row % _FOLDS for row in range(len(logits))])


def _answers(stack: ModelStack, files: Sequence[LabelledFile], progress: bool) -> Answers:
    answers = ask(stack, files, threads=stack.threads, progress=progress)
    if not len(answers.labels):
        raise InputError(f"The model classifies no picture: {answers.unreadable[0].detail}")
    return answers


def _golden(stack: ModelStack, answers: Answers, directory: Path) -> tuple[Golden, ...]:
    """Keep, for the first classes, the picture that the stack is surest of and right about."""
    golden: list[Golden] = []
    said = answers.probabilities.argmax(axis=1)
    for label in np.unique(answers.labels[said == answers.labels])[:MAX_GOLDEN].tolist():
        sure = np.where(
            (said == label) & (answers.labels == label), answers.probabilities[:, label], -1.0
        )
        path = answers.files[int(sure.argmax())].path
        golden.append(keep(stack, path, directory, str(len(golden) + 1)))
    return tuple(golden)


def _unlabelled(
    stack: ModelStack, manifest: Manifest, directory: Path, pictures: Path | None
) -> Checked:
    """Classify some pictures, and keep those of the user of which the stack is surest."""
    paths = check_files(pictures)
    verdicts = list(zip(paths, classified(stack, paths, threads=stack.threads), strict=True))
    found = [(path, each) for path, each in verdicts if not isinstance(each, Unreadable)]
    if not found:
        (_, first), *_ = verdicts
        assert isinstance(first, Unreadable)
        raise InputError(f"The model classifies no picture: {first.detail}")
    surest = sorted(found, key=lambda each: -each[1].scores[each[1].likeliest])[:_KEPT]
    golden = [
        keep(stack, path, directory, str(number))
        for number, (path, _) in enumerate(surest if pictures else (), 1)
    ]
    return Checked(msgspec.structs.replace(manifest, golden=tuple(golden)), verdicts=verdicts)
