"""Training of a stack's head on labelled pictures, with an unchanged backbone.

This is the quick way, without held-out pictures. ``stack.training`` trains the whole stack.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import xgboost

from catdog_stream.errors import InputError, StackError
from catdog_stream.folders import files_below
from catdog_stream.models.engines.convert import LITERT_FILE, ONNX_FILE, TENSORFLOW_FILE
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.stacks.golden import keep_first
from catdog_stream.models.stacks.loading import cpu_engine
from catdog_stream.models.stacks.manifest import FILE_NAME, MAX_GOLDEN, Manifest
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.stacks.writing import NOTICE_FILE, parts_in, write_loadable
from catdog_stream.models.training.backbone.start import described_backbone
from catdog_stream.models.training.evaluation import Evaluation, evaluate
from catdog_stream.models.training.head.features import VIEWS, see
from catdog_stream.models.training.head.learner import learners, write_head
from catdog_stream.models.training.head.options import HeadOption
from catdog_stream.models.training.labelled import (
    WORKER_LIMITS,
    Unreadable,
    check_each_class,
    classes_in,
    labelled_files,
)
from catdog_stream.models.training.robustness import chosen


@dataclass(frozen=True, slots=True)
class Trained:
    """The result of ``train_head``."""

    stack: Path
    pictures: int
    """Number of readable pictures that the head was trained on."""
    unreadable: list[Unreadable]
    validation: Evaluation | None
    """Quality of the new stack on the validation pictures, if there were any."""


def train_head(
    directory: Path,
    output: Path,
    *,
    backbone: Path,
    validation: Path | None = None,
    name: str,
    version: str = "1",
    threads: int,
    head: HeadOption = "auto",
    limits: PictureLimits = WORKER_LIMITS,
    progress: bool = True,
) -> Trained:
    """Train a head on ``directory/<class>/*`` and write a stack to ``output``.

    Keeps a picture of each class as a golden picture.

    Args:
        directory: the training pictures. The names of its folders are the classes: two or more, in
            alphabetical order.
        output: the directory of the new stack.
        backbone: a directory with the files of ``convert``, or another stack; may be ``output``.
        validation: another directory of labelled pictures, to measure the new stack. The manifest
            gets the result.
        name: the name of the new stack.
        version: the version of the new stack.
        threads: number of CPU threads.
        head: the kind of the head; by default boosted, or linear for many classes.
        limits: size limits of a picture, those of a worker.
        progress: show the progress.

    Raises:
        InputError: pictures are missing, or the stack cannot be written.
        StackError: the backbone is missing, or the new stack cannot be loaded.
    """
    classes = classes_in(directory)
    files = labelled_files(directory, classes)
    if validation is not None:
        labelled_files(validation, classes)
    if not any((backbone / file).is_file() for file in (LITERT_FILE, ONNX_FILE)):
        raise StackError(f"There is no backbone at {backbone / LITERT_FILE}.")
    described, _ = described_backbone(backbone)
    seen = see(
        files, backbone, described, seed=0, threads=threads, limits=limits, progress=progress
    )
    check_each_class(directory, seen.labels, classes)
    learner = learners(head, len(classes), threads=threads, progress=progress)[0]
    setting = learner.default_setting(seen)
    try:
        output.mkdir(parents=True, exist_ok=True)
        _copy_backbone(backbone, output)
        write_head(learner, seen, setting, output)
        manifest = Manifest(
            name=name,
            version=version,
            classes=classes,
            preprocessing=described.preprocessing,
            network=described.network,
            features=described.features,
            parts=parts_in(output),
            training={
                "pictures": directory.name,
                "counts": {
                    label: int((seen.labels == number).sum())
                    for number, label in enumerate(classes)
                },
                "views": VIEWS,
                "head": learner.kind,
                **learner.record(setting),
            },
        )
        manifest.write(output)
    except (OSError, xgboost.core.XGBoostError) as error:
        raise InputError(f"The stack cannot be written to {output}: {error}.") from error

    evaluation = quality = None
    engine = cpu_engine(manifest)
    stack = ModelStack.load(output, engine=engine, threads=threads, limits=limits)
    golden = tuple(
        keep_first(stack, files_below(directory / label), output, label)
        for label in chosen(classes, MAX_GOLDEN)
    )
    if validation is not None:
        evaluation = evaluate(stack, validation, threads=threads, progress=progress)
        quality = quality_record(validation, evaluation)
    stack.close()
    whole = msgspec.structs.replace(manifest, golden=golden, quality=quality)
    try:
        write_loadable(whole, output, threads=threads)
    except StackError:
        (output / FILE_NAME).unlink(missing_ok=True)  # the manifest without golden pictures
        raise
    return Trained(output, len(seen.labels), seen.unreadable, evaluation)


def _copy_backbone(backbone: Path, output: Path) -> None:
    """Copy the files of the backbone, and the notice that the licence requires with them."""
    if backbone.resolve() == output.resolve():
        return
    for file in (LITERT_FILE, TENSORFLOW_FILE, ONNX_FILE, NOTICE_FILE):
        (output / file).unlink(missing_ok=True)
        if (backbone / file).is_file():
            shutil.copyfile(backbone / file, output / file)


def quality_record(directory: Path, evaluation: Evaluation) -> dict[str, Any]:
    """Return the object ``quality`` of a manifest, for pictures in ``directory``."""
    return {
        "pictures": directory.name,
        "count": evaluation.pictures,
        "engine": evaluation.engine,
        "accuracy": evaluation.accuracy,
        "log_loss": round(evaluation.log_loss, 6),
        "calibration_error": round(evaluation.calibration_error, 6),
        "intervals": {
            name: [round(end, 6) for end in ends] for name, ends in evaluation.intervals.items()
        },
        "confusion": evaluation.confusion,
    }
