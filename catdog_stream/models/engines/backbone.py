"""The first model of the stack: a picture in, a vector of features out.

Two engines run the same network. LiteRT is fast on a CPU and imported in no time; TensorFlow is
for GPUs and is the reference.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from catdog_stream.models.pictures import Picture

Pictures = npt.NDArray[np.uint8]
"""RGB, uint8, shape [n, size, size, 3]."""

Batch = Pictures | Sequence[Picture]
"""Pictures in one array or one by one, which saves copying them together."""

Features = npt.NDArray[np.float32]
"""float32, shape [n, features]."""


class Backbone(Protocol):
    """A network that turns pictures into features."""

    @property
    def name(self) -> str:
        """The engine's name."""

    @property
    def batch_size(self) -> int:
        """Pictures in one call that keep it busy; more gain nothing."""

    @property
    def on_gpu(self) -> bool:
        """Whether it leaves the machine's cores to others."""

    def features(self, pictures: Batch) -> Features:
        """Features of each picture, bit for bit the same whatever else is in the batch.

        May be called from several threads at once.
        """

    def close(self) -> None:
        """Free threads and memory. The backbone cannot be used afterwards."""
