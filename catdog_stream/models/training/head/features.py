"""Features of several views of each picture, on which a head is trained.

The engine that will serve computes the features, so the head is trained on the same features that
it gets later. The views of a picture are: whole, mirrored, two random crops, turned by a right
angle, and corrupted. The same pictures in the same order have the same views.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from catdog_stream.models.engines.backbone import Backbone, Pictures
from catdog_stream.models.engines.description import Description
from catdog_stream.models.pictures import Picture, PictureLimits
from catdog_stream.models.stacks.loading import cpu_engine, load_backbone
from catdog_stream.models.stacks.manifest import Manifest
from catdog_stream.models.stacks.writing import parts_in
from catdog_stream.models.training.corruptions import corrupted
from catdog_stream.models.training.labelled import ADMITTED, LabelledFile, Unreadable, read_batches

__all__ = ["VIEWS", "Seen", "see"]

VIEWS = 6
"""Number of views of each picture: whole, mirrored, cropped twice, turned, and corrupted."""
SMALLEST_CROP = 0.65
"""Smallest share of a picture's area in a crop."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Features and labels of pictures."""

    features: npt.NDArray[np.float32]
    """float32 [pictures, views, features]; the first view is the whole picture."""
    labels: npt.NDArray[np.intp]
    """Index of the class of each picture, [pictures]."""
    unreadable: list[Unreadable]

    @property
    def whole(self) -> npt.NDArray[np.float32]:
        """The features of the whole pictures, as in production, float32 [pictures, features]."""
        return self.features[:, 0]


def see(
    files: Sequence[LabelledFile],
    directory: Path,
    described: Description,
    *,
    seed: int,
    threads: int,
    limits: PictureLimits = ADMITTED,
    progress: bool,
) -> Seen:
    """Return the features of the views of the readable pictures in ``files``, in their order.

    Args:
        files: the pictures.
        directory: folder of the backbone, under its standard file name.
        described: the backbone's description.
        seed: seed of the views.
        threads: number of CPU threads.
        limits: size limits of a picture.
        progress: show the progress.

    Raises:
        StackError: the backbone cannot be loaded.
    """
    backbone = _backbone(directory, described, threads)
    wanted, random = described.preprocessing, np.random.default_rng(seed)
    features: list[npt.NDArray[np.float32]] = []
    labels: list[npt.NDArray[np.intp]] = []
    unreadable: list[Unreadable] = []
    with tqdm(total=len(files), unit="picture", desc="features", disable=not progress) as bar:
        for batch in read_batches(files, wanted, threads=threads, limits=limits):
            views = [backbone.features(view) for view in _views(batch.pictures, random)]
            features.append(np.stack(views, axis=1))
            labels.append(batch.labels)
            unreadable += batch.unreadable
            bar.update(len(batch.pictures) + len(batch.unreadable))
    backbone.close()
    return Seen(np.concatenate(features), np.concatenate(labels), unreadable)


def _backbone(directory: Path, described: Description, threads: int) -> Backbone:
    manifest = Manifest(
        name="backbone",
        version="1",
        classes=(),
        preprocessing=described.preprocessing,
        network=described.network,
        features=described.features,
        parts=parts_in(directory),
    )
    return load_backbone(cpu_engine(manifest), directory, manifest, threads)


def _views(pictures: Pictures, random: np.random.Generator) -> Iterator[Pictures]:
    """Yield the views of all pictures: whole, mirrored, two random crops, turned, corrupted."""
    yield pictures
    yield pictures[:, :, ::-1]
    for change in (_crop, _crop, _turn, _corrupt):
        changed = [change(picture, random) for picture in pictures]
        yield np.array(changed, np.uint8).reshape(pictures.shape)


def _crop(picture: Picture, random: np.random.Generator) -> Picture:
    """Crop to a random part of at least ``SMALLEST_CROP`` of the area; mirror half of the time."""
    size = len(picture)
    side = size * np.sqrt(random.uniform(SMALLEST_CROP, 1))
    left, top = random.uniform(0, size - side, 2)
    image = Image.fromarray(picture).resize(
        (size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side)
    )
    crop = np.asarray(image)
    return crop[:, ::-1] if random.random() < 0.5 else crop


def _turn(picture: Picture, random: np.random.Generator) -> Picture:
    """Turn by 90, 180 or 270 degrees."""
    return np.rot90(picture, int(random.integers(1, 4)))


def _corrupt(picture: Picture, random: np.random.Generator) -> Picture:
    """Corrupt, and turn half of the time."""
    changed = np.asarray(corrupted(Image.fromarray(picture), random))
    return _turn(changed, random) if random.random() < 0.5 else changed
