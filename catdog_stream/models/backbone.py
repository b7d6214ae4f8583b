"""The first model of the stack: a picture in, a vector of features out.

Two engines run the same network. LiteRT is fast on a CPU and imported in no time; TensorFlow is
for GPUs and is the reference.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import SettingError, StackError
from catdog_stream.models.manifest import Manifest
from catdog_stream.models.pictures import Picture

Engine = Literal["auto", "litert", "tensorflow"]
"""``auto`` is TensorFlow where it is installed and sees a GPU, LiteRT otherwise."""

Pictures = npt.NDArray[np.uint8]
"""RGB, uint8, shape [n, size, size, 3]."""

Batch = Pictures | Sequence[Picture]
"""Pictures in one array or one by one, which saves copying them together."""

Features = npt.NDArray[np.float32]
"""float32, shape [n, features]."""

# What a driver of NVIDIA (on Linux, under Windows) or AMD leaves in /dev. Importing TensorFlow
# takes 5 s, so it is asked for a GPU only where there can be one.
_GPU_DEVICES = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))


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


def load_backbone(
    engine: Engine, directory: Path, manifest: Manifest, threads: int, batch: int | None = None
) -> Backbone:
    """Load the backbone in the stack ``directory`` with ``engine`` on ``threads`` CPU threads.

    ``batch``, or else the manifest, pins the number of pictures in one call; without either the
    engine finds its own.
    """
    if engine not in get_args(Engine):
        raise SettingError(
            f"The engine {engine!r} is unknown; it is one of {', '.join(get_args(Engine))}."
        )
    if engine == "auto":
        engine = "tensorflow" if _tensorflow_has_gpu() else "litert"
    shape = (manifest.input_size, manifest.features)
    file = directory / manifest.part(engine).file
    batch = batch or manifest.batch.get(engine)
    if engine == "litert":
        from catdog_stream.models.litert import LiteRTBackbone

        return LiteRTBackbone(file, *shape, threads=threads, batch=batch)
    if importlib.util.find_spec("tensorflow") is None:
        raise StackError(
            "The engine tensorflow needs TensorFlow: pip install 'catdog-stream[tensorflow]'."
        )
    from catdog_stream.models.tensorflow import TensorFlowBackbone

    return TensorFlowBackbone(file, *shape, threads=threads, batch=batch)


def _tensorflow_has_gpu() -> bool:
    if not any(device.exists() for device in _GPU_DEVICES):
        return False
    if importlib.util.find_spec("tensorflow") is None:
        return False
    from catdog_stream.models.tensorflow import has_gpu

    return has_gpu()
