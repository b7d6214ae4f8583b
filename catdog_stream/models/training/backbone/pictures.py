"""The pictures of a training, decoded once into one array on disk and read in any order."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from catdog_stream.errors import InputError
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.training.labelled import LabelledFile, read_batches

__all__ = ["Decoded", "decoded"]

Decoded = tuple[npt.NDArray[np.uint8], npt.NDArray[np.intp]]
"""Pictures, uint8 [n, size, size, 3], and the index of the class of each picture, [n]."""

_PREFIX = "pictures-"


@contextmanager
def decoded(
    files: Sequence[LabelledFile],
    wanted: Preprocessing,
    folder: Path,
    *,
    threads: int,
    progress: bool,
) -> Iterator[Decoded]:
    """Provide the readable pictures in ``files``, decoded as ``wanted``, for a ``with`` block.

    The pictures lie in a memory-mapped file in ``folder``, which takes 3 * size * size bytes a
    picture and is deleted at the end of the block.

    Raises:
        InputError: the file cannot be written, for example because the disk is full.
    """
    for left_behind in folder.glob(f"{_PREFIX}*"):  # files of a training that was killed
        shutil.rmtree(left_behind, ignore_errors=True)
    with TemporaryDirectory(dir=folder, prefix=_PREFIX) as place:
        labels: list[npt.NDArray[np.intp]] = []
        count = 0
        try:
            shape = (len(files), wanted.size, wanted.size, 3)
            array = np.memmap(Path(place) / "pictures", np.uint8, "w+", shape=shape)
            with tqdm(total=len(files), unit="picture", desc="decode", disable=not progress) as bar:
                for batch in read_batches(files, wanted, threads=threads):
                    array[count : count + len(batch.pictures)] = batch.pictures
                    count += len(batch.pictures)
                    labels.append(batch.labels)
                    bar.update(len(batch.pictures) + len(batch.unreadable))
        except OSError as error:
            raise InputError(f"{folder} cannot hold the pictures: {error.strerror}.") from error
        yield array[:count], np.concatenate(labels)
