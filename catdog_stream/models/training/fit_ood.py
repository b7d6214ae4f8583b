"""Fitting of a stack's OOD score, which recognizes pictures of none of the stack's classes.

``stacks/ood.py`` has the model. The pictures must not be from the training of the backbone: those
have better OOD scores than any new picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from catdog_stream.errors import InputError, StackError
from catdog_stream.models.engines.backbone import Features
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.stacks.loading import cpu_engine, load_backbone
from catdog_stream.models.stacks.manifest import (
    FILE_NAME,
    Manifest,
    Part,
    describe,
    load_manifest,
)
from catdog_stream.models.stacks.ood import Familiarity, FamiliaritySection
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.stacks.writing import restored_on_failure, write_loadable
from catdog_stream.models.training.data.splitting import FOLDS, even_folds
from catdog_stream.models.training.evaluation import Evaluation, Labels, evaluate
from catdog_stream.models.training.labelled import (
    WORKER_LIMITS,
    Unreadable,
    check_each_class,
    labelled_files,
    read_batches,
)

__all__ = ["FittedScore", "StackWithScore", "add_ood_score", "fit_score", "too_few"]

FAMILIARITY_FILE = "familiarity.npz"
#: Share of the pictures of the classes that are ``unknown``. With the default stack, this threshold
#: finds four of five photographs of other things; half the threshold finds three.
THRESHOLD = 0.02
#: Fewer pictures do not show where the lowest percent of the OOD scores lies.
LEAST_PICTURES = 100
#: Least pictures of each class: one for each fold.
LEAST_OF_A_CLASS = 5

DIRECTIONS = 128
"""Largest number of directions. With the default stack 32 were as good as 256, within 0.2 % of the
AUROC."""
DIRECTIONS_FOR_PICTURES = 4
"""Least pictures per direction."""
QUANTILES = 2001
"""Largest number of stored distances."""


@dataclass(frozen=True, slots=True)
class FittedScore:
    """The result of ``fit_score``."""

    part: Part
    """The written file."""
    section: FamiliaritySection

    def put_into(self, manifest: Manifest) -> Manifest:
        """Return ``manifest`` with the part and the section."""
        parts = {**manifest.parts, "familiarity": self.part}
        return msgspec.structs.replace(manifest, parts=parts, familiarity=self.section)


@dataclass(frozen=True, slots=True)
class StackWithScore:
    """The result of ``add_ood_score``."""

    pictures: int
    threshold: float
    unreadable: list[Unreadable]
    validation: Evaluation | None


def fit_score(
    features: Features,
    labels: Labels,
    output: Path,
    *,
    folds: Sequence[int] | None = None,
    threshold: float = THRESHOLD,
) -> FittedScore:
    """Fit the OOD score and write ``familiarity.npz`` into ``output``.

    The same features give the same file.

    Args:
        features: features of whole pictures that the backbone was not trained on, float32
            [n, features].
        labels: index of the class of each picture, [n]; every class occurs.
        output: the stack's directory.
        folds: fold of each picture, [n], if related pictures must be held out together.
        threshold: OOD score below which a picture is unknown.

    Raises:
        InputError: there are too few pictures, or the file cannot be written.
    """
    if reason := too_few(labels):
        raise InputError(reason)
    distances = np.sort(_held_out_distances(features, labels, folds))
    if len(distances) > QUANTILES:
        distances = np.quantile(distances, np.linspace(0, 1, QUANTILES))
    try:
        _fit(features, labels, distances).save(output / FAMILIARITY_FILE)
        part = describe(output, FAMILIARITY_FILE)
    except OSError as error:
        raise InputError(f"The stack cannot be written to {output}: {error}.") from error
    return FittedScore(part, FamiliaritySection(threshold, len(labels)))


def too_few(labels: Labels) -> str | None:
    """Return the reason why there are too few pictures to fit; ``None`` if there are enough."""
    rarest = int(np.bincount(labels).min())
    if len(labels) >= LEAST_PICTURES and rarest >= LEAST_OF_A_CLASS:
        return None
    return (
        f"{len(labels)} pictures, {rarest} of the rarest class, are too few to find what is "
        f"familiar: it takes {LEAST_PICTURES}, and {LEAST_OF_A_CLASS} of each class."
    )


def _held_out_distances(
    features: Features, labels: Labels, folds: Sequence[int] | None
) -> npt.NDArray[np.float64]:
    """Return the distance of each picture, from a fit without the fold of the picture."""
    fold = even_folds(labels) if folds is None else np.asarray(folds)
    distances = np.empty(len(labels), np.float64)
    for number in range(FOLDS):
        out = fold == number
        fitted = _fit(features[~out], labels[~out], [0.0, 1.0])
        distances[out] = [fitted.distance(row) for row in features[out]]
    return distances


def _fit(features: Features, labels: Labels, distances: npt.ArrayLike) -> Familiarity:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    rows = (features / np.maximum(lengths, 1e-12)).astype(np.float64)
    classes = range(labels.max() + 1)
    means = np.array([rows[labels == label].mean(axis=0) for label in classes])
    off = rows - means[labels]
    variances, directions = np.linalg.eigh(off.T @ off / len(off))  # ascending
    kept = min(DIRECTIONS, len(off) // DIRECTIONS_FOR_PICTURES, len(variances) - 1)
    rest = float(np.maximum(variances[:-kept], 0).mean())
    # A direction without variance must not turn the smallest deviation into an infinite distance.
    floor = max(rest, 1e-6 * float(variances[-1]), 1e-12)
    return Familiarity(
        means, directions[:, -kept:], np.maximum(variances[-kept:], floor), floor, distances
    )


def add_ood_score(
    stack: Path,
    pictures: Path,
    *,
    validation: Path | None = None,
    version: str | None = None,
    threshold: float = THRESHOLD,
    threads: int,
    limits: PictureLimits = WORKER_LIMITS,
    progress: bool = True,
) -> StackWithScore:
    """Fit the OOD score of the stack in the directory ``stack`` on ``pictures/<class>/*``.

    Replaces a present OOD score. On failure the stack is restored.

    Args:
        stack: the stack's directory.
        pictures: the folder of the pictures, which the backbone was not trained on.
        validation: a folder of held-out pictures. With it, the manifest gets a ``reference``, too.
        version: the new version of the stack, since its verdicts change.
        threshold: OOD score below which a picture is unknown.
        threads: number of CPU threads.
        limits: size limits of a picture, those of a worker.
        progress: show the progress.

    Raises:
        StackError: the stack cannot be loaded, before or after the change.
        InputError: the pictures are missing, unreadable or too few.
    """
    manifest = load_manifest(stack)
    files = labelled_files(pictures, manifest.classes)
    if validation is not None:
        labelled_files(validation, manifest.classes)
    if not manifest.features:
        raise StackError(f"The network of {stack} gives scores alone: an OOD score needs features.")
    engine = cpu_engine(manifest)
    backbone = load_backbone(engine, stack, manifest, threads)
    found: list[Features] = []
    labels: list[Labels] = []
    unreadable: list[Unreadable] = []
    with tqdm(total=len(files), unit="picture", desc="features", disable=not progress) as bar:
        for batch in read_batches(files, manifest.preprocessing, threads=threads, limits=limits):
            found.append(backbone.features(batch.pictures)[:, -manifest.features :])
            labels.append(batch.labels)
            unreadable += batch.unreadable
            bar.update(len(batch.pictures) + len(batch.unreadable))
    backbone.close()
    all_labels = np.concatenate(labels)
    check_each_class(pictures, all_labels, manifest.classes)
    with restored_on_failure(stack, FAMILIARITY_FILE, FILE_NAME):
        fitted = fit_score(np.concatenate(found), all_labels, stack, threshold=threshold)
        manifest = fitted.put_into(
            msgspec.structs.replace(manifest, version=version or manifest.version, reference=None)
        )
        manifest.write(stack)
        evaluation = None
        if validation is not None:
            loaded = ModelStack.load(stack, engine=engine, threads=threads, limits=limits)
            evaluation = evaluate(loaded, validation, threads=threads, progress=progress)
            loaded.close()
            manifest = msgspec.structs.replace(manifest, reference=evaluation.reference)
        write_loadable(manifest, stack, threads=threads)
    return StackWithScore(len(all_labels), threshold, unreadable, evaluation)
