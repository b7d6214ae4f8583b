"""From a folder of labelled pictures to a stack: backbone, head, calibration, quality, report.

The long way; ``head_training`` is the quick one. Each step leaves what it made in the folder of the
training (``unfinished``), so that one that was stopped goes on where it was. The same pictures,
options and number of threads give the same stack.
"""

import dataclasses
import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

from catdog_stream.errors import InputError
from catdog_stream.models.engines.convert import (
    LITERT_FILE,
    TENSORFLOW_FILE,
    require_tensorflow,
    write_backbone,
)
from catdog_stream.models.engines.litert import LiteRTBackbone, scaled
from catdog_stream.models.engines.networks import NETWORKS, NetworkName, build_network
from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.golden import keep_first
from catdog_stream.models.stacks.manifest import Golden, Manifest
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.stacks.writing import HEAD_FILE, NOTICE_FILE, parts_in
from catdog_stream.models.training.backbone.plan import FineTuning, automatic
from catdog_stream.models.training.backbone.start import Start
from catdog_stream.models.training.calibrating import calibrate
from catdog_stream.models.training.data.checking import Checked, Example, check
from catdog_stream.models.training.data.splitting import Split, folds, split
from catdog_stream.models.training.evaluation import (
    Answers,
    Evaluation,
    accuracy,
    ask,
    calibration_error,
    log_loss,
    measure,
)
from catdog_stream.models.training.familiarizing import enough, fit_familiarity
from catdog_stream.models.training.head.boosting import HeldOut, fit, hold_out, parameters
from catdog_stream.models.training.head.features import VIEWS, Seen, see
from catdog_stream.models.training.head_training import quality_record
from catdog_stream.models.training.labelled import classes_in, read_batches
from catdog_stream.models.training.parity import Parity, compare
from catdog_stream.models.training.report.document import REPORT_FILE, Report, write_report
from catdog_stream.models.training.unfinished import Unfinished

__all__ = ["Options", "TrainedStack", "train_stack"]

#: Pictures of a class, beyond those for head and evaluation, below which a network that learns from
#: them alone gets worse.
FEWEST_FOR_BACKBONE = 20
#: Pictures that LiteRT and TensorFlow are compared on.
_COMPARED = 64


#: Networks of small layers, which LiteRT runs in integers twice as fast, and the pictures that tell
#: it the range of each layer.
_IN_INTEGERS: frozenset[NetworkName] = frozenset({"efficientnet_lite2"})
_TYPICAL = 200


@dataclass(frozen=True, slots=True)
class Options:
    """How a stack is trained."""

    name: str | None = None
    """The stack's; the network's by default."""
    version: str = "1"
    network: NetworkName | None = None
    """Its architecture; that of the start by default."""
    size: int | None = None
    """Width and height of what the network sees, in pixels; that of the start by default."""
    epochs: float | None = None
    """How often the network sees each of its pictures; by their number by default."""
    fine_tuning: bool | None = None
    """Whether the network learns; by the number of pictures by default."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainedStack:
    """What ``train_stack`` made."""

    stack: Path
    report: Path
    checked: Checked
    evaluation: Evaluation
    """On pictures that nothing was learned from."""


def train_stack(
    directory: Path,
    output: Path,
    start: Path,
    options: Options,
    *,
    evaluation: Path | None = None,
    resume: bool = False,
    force: bool = False,
    threads: int,
    progress: bool = True,
) -> TrainedStack:
    """Train a stack on ``directory/<class>/*`` and write it to ``output``.

    Args:
        directory: the folders in it name the classes: two or more, in alphabetical order.
        output: the stack's directory; one that is there is replaced when all is done.
        start: a stack whose network is the beginning, or a file with weights.
        options: how.
        evaluation: pictures to measure the stack on; by default some are kept from training.
        resume: go on with a training that was stopped.
        force: forget one that was stopped.
        threads: of the CPU.
        progress: whether to show how far it is.

    Raises:
        InputError: the pictures would mislead, or something cannot be read or written.
        StackError: the start is no stack, or TensorFlow is missing.
    """
    classes = classes_in(directory)
    begin = Start.find(start, options.network, options.size)
    checked = check(directory, classes, evaluation, threads=threads, progress=progress)
    parts = _parts(checked, options)
    if parts.backbone or begin.litert is None:
        require_tensorflow("Fine-tuning", "train")
    about = _about(checked, begin, options, parts)
    work = Unfinished.begin(output, about, resume=resume, force=force)
    plan = (
        automatic(
            len(parts.backbone),
            begin.preprocessing.size,
            epochs=options.epochs,
            seed=options.seed,
        )
        if parts.backbone
        else None
    )
    try:
        losses = _backbone(work, begin, parts, len(classes), plan, threads, progress)
        seen = _features(work, begin, parts, options.seed, threads, progress)
        head = _head(work, seen, parts, len(classes), options.seed, threads, progress)
        made = _Made(directory, evaluation or directory, checked, parts, begin, options, plan, head)
        return _finish(work, made, seen, losses, threads, progress)
    except (OSError, xgboost.core.XGBoostError) as error:
        raise InputError(f"{work.folder} cannot be written: {error}.") from error


def _parts(checked: Checked, options: Options) -> Split:
    parts = split(checked.training, checked.evaluation, seed=options.seed)
    counts = Counter(each.file.label for each in parts.backbone)
    enough = min(counts[number] for number in range(len(checked.classes))) >= FEWEST_FOR_BACKBONE
    if options.fine_tuning if options.fine_tuning is not None else enough:
        return parts
    return split(checked.training, checked.evaluation, frozen=True, seed=options.seed)


def _about(checked: Checked, begin: Start, options: Options, parts: Split) -> dict[str, Any]:
    """All that decides what comes out."""
    with begin.file.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        **dataclasses.asdict(options),
        "network": begin.network,
        "size": begin.preprocessing.size,
        "fine_tuning": bool(parts.backbone),
        "backbone": digest,
        "classes": checked.classes,
        "pictures": _digest(checked.training),
        "evaluation": _digest(checked.evaluation),
    }


def _digest(examples: Sequence[Example]) -> str:
    lines = "".join(f"{each.sha256} {each.file.label}\n" for each in examples)
    return hashlib.sha256(lines.encode()).hexdigest()


def _backbone(
    work: Unfinished,
    begin: Start,
    parts: Split,
    classes: int,
    plan: FineTuning | None,
    threads: int,
    progress: bool,
) -> list[float]:
    """Have the backbone's files in the stack; the losses while it learned."""
    done = work.done("backbone")
    if done is not None:
        return list(done["losses"])
    losses: list[float] = []
    if begin.place.is_dir() and (begin.place / NOTICE_FILE).is_file():
        shutil.copyfile(begin.place / NOTICE_FILE, work.stack / NOTICE_FILE)
    if plan is None and begin.litert is not None:
        shutil.copyfile(begin.litert, work.stack / LITERT_FILE)
        if begin.tensorflow is not None:
            shutil.copyfile(begin.tensorflow, work.stack / TENSORFLOW_FILE)
        work.mark("backbone", {"losses": losses})
        return losses
    from catdog_stream.models.training.backbone.finetuning import Network, fine_tune

    weights = begin.weights()
    if plan is not None:
        tuned = fine_tune(
            [each.file for each in parts.backbone],
            classes,
            Network(begin.network, begin.preprocessing, weights),
            plan,
            work.backbone,
            threads=threads,
            progress=progress,
        )
        weights, losses = tuned.weights, tuned.losses
    built = build_network(begin.network, begin.preprocessing.size)
    built.set_weights(weights)
    write_backbone(begin.network, built, work.stack, _typical(begin, parts, threads))
    work.mark("backbone", {"losses": losses})
    return losses


def _typical(begin: Start, parts: Split, threads: int) -> list[npt.NDArray[np.float32]]:
    """Pictures for the ranges that LiteRT computes in, for a network that gains by it."""
    if begin.network not in _IN_INTEGERS:
        return []
    examples = parts.backbone or parts.head
    files = [each.file for each in examples[:: -(-len(examples) // _TYPICAL)]]
    wanted = begin.preprocessing
    return [
        scaled(picture, wanted)
        for batch in read_batches(files, wanted, threads=threads)
        for picture in batch.pictures
    ]


def _features(
    work: Unfinished, begin: Start, parts: Split, seed: int, threads: int, progress: bool
) -> Seen:
    """What the backbone makes of the head's pictures."""
    kept = work.kept()
    if kept is not None:
        return kept
    backbone = LiteRTBackbone(
        work.stack / LITERT_FILE,
        begin.preprocessing,
        NETWORKS[begin.network].features,
        threads=threads,
    )
    files = [each.file for each in parts.head]
    seen = see(files, backbone, begin.preprocessing, seed=seed, threads=threads, progress=progress)
    backbone.close()
    work.keep(seen)
    return seen


@dataclass(frozen=True, slots=True)
class _Head:
    booster: xgboost.Booster
    held_out: HeldOut
    calibration: Calibration | None
    quality: dict[str, float]
    """Of the calibrated chances of the pictures that were held out."""


def _head(
    work: Unfinished,
    seen: Seen,
    parts: Split,
    classes: int,
    seed: int,
    threads: int,
    progress: bool,
) -> _Head:
    """Trees and their calibration, both by what is said of pictures that are held out."""
    fold = folds(parts.head, seed)
    held = hold_out(seen, classes, fold, threads=threads, progress=progress)
    calibration = calibrate(held.logits, seen.labels, fold)
    booster = fit(seen, classes, held.rounds, progress=progress)
    booster.save_model(work.stack / HEAD_FILE)
    chances = (calibration or Calibration.none(classes)).chances(held.logits)
    quality = {
        "accuracy": round(accuracy(seen.labels, chances), 6),
        "log_loss": round(log_loss(seen.labels, chances), 6),
        "calibration_error": round(calibration_error(seen.labels, chances), 6),
    }
    return _Head(booster, held, calibration, quality)


@dataclass(frozen=True, slots=True)
class _Made:
    directory: Path
    evaluated: Path
    checked: Checked
    parts: Split
    begin: Start
    options: Options
    plan: FineTuning | None
    head: _Head


def _finish(
    work: Unfinished, made: _Made, seen: Seen, losses: list[float], threads: int, progress: bool
) -> TrainedStack:
    """Measure the stack, write its manifest and its report, and put it where it belongs."""
    manifest = _manifest(work.stack, made)
    if enough(seen.labels):
        manifest = fit_familiarity(seen.whole, seen.labels, work.stack).put_into(manifest)
    manifest.write(work.stack)
    stack = ModelStack.load(work.stack, engine="litert", threads=threads)
    answers = ask(stack, [each.file for each in made.parts.evaluation], progress=progress)
    evaluation = measure(stack, answers)
    parity = _parity(stack, work.stack, made, answers, threads)
    golden = tuple(
        _golden(stack, answers, number, work.stack) for number in range(len(stack.classes))
    )
    stack.close()
    quality = quality_record(made.evaluated, evaluation)
    if parity is not None:
        quality["parity"] = parity.as_json()
    manifest = dataclasses.replace(
        manifest, golden=golden, quality=quality, reference=evaluation.reference
    )
    write_report(
        work.stack / REPORT_FILE,
        Report(manifest, made.checked, made.parts, answers, evaluation, parity, losses),
    )
    manifest.write(work.stack)
    work.publish()
    return TrainedStack(work.output, work.output / REPORT_FILE, made.checked, evaluation)


def _manifest(directory: Path, made: _Made) -> Manifest:
    classes, begin = made.checked.classes, made.begin
    return Manifest(
        name=made.options.name or begin.network,
        version=made.options.version,
        classes=classes,
        preprocessing=begin.preprocessing,
        network=begin.network,
        features=NETWORKS[begin.network].features,
        parts=parts_in(directory),
        calibration=made.head.calibration,
        training={
            "pictures": made.directory.name,
            "counts": {
                "backbone": _counts(classes, made.parts.backbone),
                "head": _counts(classes, made.parts.head),
                "evaluation": _counts(classes, made.parts.evaluation),
            },
            "seed": made.options.seed,
            "fine_tuning": made.plan.as_json() if made.plan else None,
            "views": VIEWS,
            "rounds": made.head.held_out.rounds,
            "parameters": parameters(len(classes)),
            "xgboost": xgboost.__version__,
            "held_out": made.head.quality,
        },
    )


def _counts(classes: Sequence[str], examples: Sequence[Example]) -> dict[str, int]:
    counts = Counter(each.file.label for each in examples)
    return {name: counts[number] for number, name in enumerate(classes)}


def _parity(
    stack: ModelStack, directory: Path, made: _Made, answers: Answers, threads: int
) -> Parity | None:
    """Compare both engines; ``None`` if the files are the start's own, which were before."""
    if made.plan is None and made.begin.litert is not None:
        return None
    reference = ModelStack.load(directory, engine="tensorflow", threads=threads, batch=8)
    parity = compare(stack, reference, answers.files[:: max(1, len(answers.files) // _COMPARED)])
    reference.close()
    parity.check()
    return parity


def _golden(stack: ModelStack, answers: Answers, label: int, output: Path) -> Golden:
    """The picture of a class that the stack is surest of, kept with what it says of it."""
    order = (-answers.chances[:, label]).argsort(kind="stable")
    files = [answers.files[index] for index in order]
    paths = [file.path for file in files if file.label == label]
    return keep_first(stack, paths, output, stack.classes[label])
