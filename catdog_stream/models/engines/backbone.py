"""The first model of the stack, the backbone: from a picture to a vector of features.

The network of a complete classifier is a backbone, too: its features are the scores of the classes.
Several engines run networks. LiteRT is fast on a CPU and quick to import. TensorFlow runs on GPUs
and is the reference. ONNX Runtime runs the networks of other libraries.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import StackError
from catdog_stream.models.pictures import Picture

Pictures = npt.NDArray[np.uint8]
"""RGB, uint8, shape [n, height, width, 3]."""

Batch = Pictures | Sequence[Picture]
"""Pictures in one array, or in a sequence, which saves copying them into one array."""

Features = npt.NDArray[np.float32]
"""float32, shape [n, features]."""


class Backbone(Protocol):
    """A network that turns pictures into features."""

    @property
    def name(self) -> str:
        """The name of the engine."""

    @property
    def batch_size(self) -> int:
        """The number of pictures that fills one call; more gain no throughput."""

    @property
    def on_gpu(self) -> bool:
        """True if the backbone computes on a GPU and leaves the CPU cores free."""

    @property
    def output_step(self) -> float:
        """The distance between neighbouring values of the first output; 0 if they are floats."""

    def features(self, pictures: Batch) -> Features:
        """Return the features of each picture, the same bits whatever else is in the batch.

        The values of several outputs lie side by side. Thread-safe.
        """

    def close(self) -> None:
        """Free threads and memory. The backbone cannot be used afterwards."""


def chosen_outputs(file: Path, present: Sequence[str], wanted: Sequence[str]) -> Sequence[str]:
    """Return the names of the outputs to read: ``wanted``, or else the only one.

    Raises ``StackError`` if ``file`` has no such output, or several and none is wanted.
    """
    listed = ", ".join(present)
    if not wanted and len(present) > 1:
        raise StackError(
            f"{file} has the outputs {listed}: the manifest must name one, as engine.*.output."
        )
    for name in wanted:
        if name not in present:
            raise StackError(f"{file} has no output {name!r}; it has {listed}.")
    return wanted or present


def are_features(found: int, expected: int | Collection[int]) -> bool:
    """Return if a network gives the expected number of features, or one of the numbers."""
    return found == expected if isinstance(expected, int) else found in expected


def in_padded_calls(
    pictures: Batch,
    features: int,
    size: int,
    write: Callable[[int, Picture], None],
    run: Callable[[], Features],
) -> Features:
    """Return the features of each picture from calls of exactly ``size`` pictures.

    Args:
        pictures: any number of pictures.
        features: number of features.
        size: number of pictures in a call.
        write: writes a picture into a row of the network's input. The rows of the last call that
            get no picture keep pictures of earlier calls, as padding.
        run: computes the features of all rows.
    """
    result = np.empty((len(pictures), features), np.float32)
    for start in range(0, len(pictures), size):
        chunk = pictures[start : start + size]
        for row, picture in enumerate(chunk):
            write(row, picture)
        result[start : start + len(chunk)] = run()[: len(chunk)]
    return result
