"""Train the head of a stack on labelled pictures, and write the stack.

The features come from the engine that will serve (LiteRT), so the head learns from exactly what
it will see. Each picture is shown whole, mirrored, and in random crops. Seeds are fixed and trees
are grown by one thread, so the same pictures give the same head.
"""

import dataclasses
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost
from PIL import Image
from tqdm import tqdm

from catdog_stream.errors import InputError, StackError
from catdog_stream.models.engines.backbone import Features, Pictures
from catdog_stream.models.engines.convert import LITERT_FILE, TENSORFLOW_FILE
from catdog_stream.models.engines.description import DESCRIPTION_FILE, Description
from catdog_stream.models.engines.litert import LiteRTBackbone
from catdog_stream.models.pictures import Picture
from catdog_stream.models.stacks.golden import keep_first
from catdog_stream.models.stacks.head import objective_of
from catdog_stream.models.stacks.manifest import FILE_NAME, Manifest, load_manifest
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.stacks.writing import HEAD_FILE, NOTICE_FILE, parts_in
from catdog_stream.models.training.evaluation import Evaluation, evaluate
from catdog_stream.models.training.labelled import (
    Unreadable,
    check_each_class,
    classes_in,
    labelled_files,
    read_batches,
)

VIEWS = 4
"""How often each picture is shown: whole, mirrored, and two random crops."""
SMALLEST_CROP = 0.65
"""Smallest share of a picture's area in a crop."""

ROUNDS = 200
PARAMETERS: dict[str, Any] = {
    "tree_method": "hist",
    "max_depth": 3,
    "eta": 0.05,
    "subsample": 0.8,
    "colsample_bytree": 0.05,
    "max_bin": 64,
    "seed": 0,
    "nthread": 1,
}
"""Chosen by five-fold cross-validation on the training pictures of the default stack; the
README in its directory shows the candidates."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What ``train_head`` made."""

    stack: Path
    pictures: int
    """Readable ones that the head was trained on."""
    unreadable: list[Unreadable]
    validation: Evaluation | None
    """How the new stack does on the validation pictures, if there were any."""


@dataclass(frozen=True, slots=True)
class _Examples:
    classes: tuple[str, ...]
    features: Features
    labels: npt.NDArray[np.intp]
    unreadable: list[Unreadable]


def train_head(
    directory: Path,
    output: Path,
    *,
    backbone: Path,
    validation: Path | None = None,
    name: str | None = None,
    version: str = "1",
    threads: int,
    progress: bool = True,
) -> Trained:
    """Train a head on ``directory/<class>/*`` and write a stack to ``output``.

    The folders name the classes: two or more, in alphabetical order.

    ``backbone`` is a directory with the files that ``convert`` writes, or another stack's; it may
    be ``output`` itself. The stack's ``name`` is that of the network unless another is given.

    With ``validation``, another directory of labelled pictures, the new stack is measured there
    and the result written to its manifest. A picture of each class goes with it, to tell later
    that it still answers as it did (``Golden``).

    Raises ``InputError`` if pictures are missing, ``StackError`` if the backbone is.
    """
    classes = classes_in(directory)
    labelled_files(directory, classes)
    if validation is not None:
        labelled_files(validation, classes)
    described = described_backbone(backbone)
    examples = _see(directory, classes, backbone / LITERT_FILE, described, threads, progress)
    booster = _fit(examples, progress)
    try:
        output.mkdir(parents=True, exist_ok=True)
        _copy_backbone(backbone, output)
        booster.save_model(output / HEAD_FILE)
        manifest = Manifest(
            name=name or described.network,
            version=version,
            classes=classes,
            preprocessing=described.preprocessing,
            network=described.network,
            features=described.features,
            parts=parts_in(output),
            training=_training_record(directory, examples),
        )
        manifest.write(output)
    except (OSError, xgboost.core.XGBoostError) as error:
        raise InputError(f"The stack cannot be written to {output}: {error}.") from error

    evaluation = quality = None
    stack = ModelStack.load(output, engine="litert", threads=threads)
    golden = tuple(
        keep_first(stack, _pictures_of(directory, label), output, label) for label in classes
    )
    if validation is not None:
        evaluation = evaluate(stack, validation, progress=progress)
        quality = _quality_record(validation, evaluation)
    stack.close()
    dataclasses.replace(manifest, golden=golden, quality=quality).write(output)
    return Trained(output, len(examples.labels) // VIEWS, examples.unreadable, evaluation)


def described_backbone(directory: Path) -> Description:
    """What the backbone in ``directory`` is, as ``convert`` or a stack's manifest says.

    ``convert`` goes first: it may have put other files into a stack since. Raises ``StackError``.
    """
    if not (directory / LITERT_FILE).is_file():
        raise StackError(f"There is no backbone at {directory / LITERT_FILE}.")
    if (directory / DESCRIPTION_FILE).is_file() or not (directory / FILE_NAME).is_file():
        return Description.read(directory)
    manifest = load_manifest(directory)
    return Description(manifest.network, manifest.preprocessing, manifest.features)


def _see(
    directory: Path,
    classes: tuple[str, ...],
    network: Path,
    described: Description,
    threads: int,
    progress: bool,
) -> _Examples:
    """The features of every view of every readable picture below ``directory``."""
    wanted = described.preprocessing
    backbone = LiteRTBackbone(network, wanted, described.features, threads=threads)
    files = labelled_files(directory, classes)
    random = np.random.default_rng(PARAMETERS["seed"])
    features: list[Features] = []
    labels: list[npt.NDArray[np.intp]] = []
    unreadable: list[Unreadable] = []
    with tqdm(total=len(files), unit="picture", desc="features", disable=not progress) as bar:
        for batch in read_batches(files, wanted, threads=threads):
            for view in _views(batch.pictures, random):
                features.append(backbone.features(view))
                labels.append(batch.labels)
            unreadable += batch.unreadable
            bar.update(len(batch.pictures) + len(batch.unreadable))
    backbone.close()
    examples = _Examples(classes, np.concatenate(features), np.concatenate(labels), unreadable)
    check_each_class(directory, examples.labels, classes)
    return examples


def _views(pictures: Pictures, random: np.random.Generator) -> Iterator[Pictures]:
    """What the head sees of each picture: all of it, its mirror image, and random crops."""
    yield pictures
    yield pictures[:, :, ::-1]
    for _ in range(VIEWS - 2):
        yield np.array([_crop(picture, random) for picture in pictures], np.uint8).reshape(
            pictures.shape
        )


def _crop(picture: Picture, random: np.random.Generator) -> Picture:
    """A random part of at least ``SMALLEST_CROP`` of the area, mirrored half of the time."""
    size = len(picture)
    side = size * np.sqrt(random.uniform(SMALLEST_CROP, 1))
    left, top = random.uniform(0, size - side, 2)
    image = Image.fromarray(picture).resize(
        (size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side)
    )
    crop = np.asarray(image)
    return crop[:, ::-1] if random.random() < 0.5 else crop


class _ProgressBar(xgboost.callback.TrainingCallback):
    """Shows each tree that is grown."""

    def __init__(self, progress: bool) -> None:
        self._bar = tqdm(total=ROUNDS, unit="tree", desc="head", disable=not progress)

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
        self._bar.update()
        return False

    def after_training(self, model: Any) -> Any:
        self._bar.close()
        return model


def _fit(examples: _Examples, progress: bool) -> xgboost.Booster:
    weights = np.full(len(examples.labels), 1 / VIEWS, np.float32)
    data = xgboost.DMatrix(examples.features, examples.labels, weight=weights, nthread=1)
    parameters = _parameters(examples.classes)
    return xgboost.train(parameters, data, ROUNDS, callbacks=[_ProgressBar(progress)])


def _parameters(classes: tuple[str, ...]) -> dict[str, Any]:
    objective: dict[str, Any] = {"objective": objective_of(len(classes))}
    if len(classes) > 2:
        objective["num_class"] = len(classes)
    return {**objective, **PARAMETERS}


def _copy_backbone(backbone: Path, output: Path) -> None:
    """Its files, and the notice that its licence asks to keep with them."""
    if backbone.resolve() == output.resolve():
        return
    for file in (LITERT_FILE, TENSORFLOW_FILE, NOTICE_FILE):
        if (backbone / file).is_file():
            shutil.copyfile(backbone / file, output / file)


def _pictures_of(directory: Path, label: str) -> list[Path]:
    return sorted(path for path in (directory / label).rglob("*") if path.is_file())


def _training_record(directory: Path, examples: _Examples) -> dict[str, Any]:
    return {
        "pictures": directory.name,
        "counts": {
            label: int((examples.labels == number).sum()) // VIEWS
            for number, label in enumerate(examples.classes)
        },
        "views": VIEWS,
        "rounds": ROUNDS,
        "parameters": _parameters(examples.classes),
        "xgboost": xgboost.__version__,
    }


def _quality_record(directory: Path, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "pictures": directory.name,
        "count": evaluation.pictures,
        "engine": evaluation.engine,
        "accuracy": evaluation.accuracy,
        "log_loss": round(evaluation.log_loss, 6),
        "calibration_error": round(evaluation.calibration_error, 6),
        "confusion": evaluation.confusion,
    }
