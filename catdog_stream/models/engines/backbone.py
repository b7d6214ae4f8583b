"""The first model of the stack, the backbone: from a picture to a vector of features.

Two engines run the same network. LiteRT is fast on a CPU and quick to import. TensorFlow runs on
GPUs and is the reference.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from catdog_stream.models.pictures import Picture

Pictures = npt.NDArray[np.uint8]
"""RGB, uint8, shape [n, size, size, 3]."""

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

    def features(self, pictures: Batch) -> Features:
        """Return the features of each picture, the same bits whatever else is in the batch.

        Thread-safe.
        """

    def close(self) -> None:
        """Free threads and memory. The backbone cannot be used afterwards."""
