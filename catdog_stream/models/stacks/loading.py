"""Choice of the engine for a stack's backbone, and loading of the backbone."""

import importlib.util
from pathlib import Path
from typing import Literal, get_args

from catdog_stream.errors import SettingError, StackError
from catdog_stream.models.engines.backbone import Backbone
from catdog_stream.models.stacks.manifest import Manifest

__all__ = ["Engine", "load_backbone"]

Engine = Literal["auto", "litert", "tensorflow"]
"""``auto`` is TensorFlow if it is installed and finds a GPU, and LiteRT otherwise."""

# Device files of the drivers of NVIDIA (Linux, Windows) and AMD. Importing TensorFlow takes 5 s, so
# it searches for a GPU only if one of these files exists.
_GPU_DEVICES = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))


def load_backbone(
    engine: Engine, directory: Path, manifest: Manifest, threads: int, batch: int | None = None
) -> Backbone:
    """Load the backbone in the stack ``directory`` with ``engine`` on ``threads`` CPU threads.

    ``batch``, or else the manifest, fixes the number of pictures in one call. Without either, the
    engine chooses the number.

    Raises:
        SettingError: the engine is unknown.
        StackError: the backbone cannot be loaded, or TensorFlow is missing.
    """
    if engine not in get_args(Engine):
        raise SettingError(
            f"The engine {engine!r} is unknown; it is one of {', '.join(get_args(Engine))}."
        )
    if engine == "auto":
        engine = "tensorflow" if _tensorflow_has_gpu() else "litert"
    file = directory / manifest.part(engine).file
    if batch is None and engine in manifest.engine:
        batch = manifest.engine[engine].batch
    if engine == "litert":
        from catdog_stream.models.engines.litert import LiteRTBackbone

        return LiteRTBackbone(
            file, manifest.preprocessing, manifest.features, threads=threads, batch=batch
        )
    if importlib.util.find_spec("tensorflow") is None:
        raise StackError(
            "The engine tensorflow needs TensorFlow: pip install 'catdog-stream[tensorflow]'."
        )
    from catdog_stream.models.engines.tensorflow import TensorFlowBackbone

    return TensorFlowBackbone(
        file,
        manifest.network,
        manifest.preprocessing,
        manifest.features,
        threads=threads,
        batch=batch,
    )


def _tensorflow_has_gpu() -> bool:
    if not any(device.exists() for device in _GPU_DEVICES):
        return False
    if importlib.util.find_spec("tensorflow") is None:
        return False
    from catdog_stream.models.engines.tensorflow import has_gpu

    return has_gpu()
