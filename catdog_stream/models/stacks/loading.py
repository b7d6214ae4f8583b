"""Choice of the engine for a stack's network, and loading of the network."""

import importlib.util
from pathlib import Path
from typing import Literal, get_args

from catdog_stream.errors import SettingError, StackError
from catdog_stream.models.engines.backbone import Backbone
from catdog_stream.models.stacks.manifest import EngineName, EngineOptions, Manifest

__all__ = ["Engine", "cpu_engine", "load_backbone"]

Engine = Literal["auto", "litert", "tensorflow", "onnx"]
"""``auto`` is one for which the stack has a part: TensorFlow if it is installed and finds a GPU,
else LiteRT, else ONNX Runtime, else TensorFlow."""

# Device files of the drivers of NVIDIA (Linux, Windows) and AMD. Importing TensorFlow takes 5 s, so
# it searches for a GPU only if one of these files exists.
_GPU_DEVICES = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))


def load_backbone(
    engine: Engine,
    directory: Path,
    manifest: Manifest,
    threads: int,
    batch: int | None = None,
    onnx_provider: str = "cpu",
) -> Backbone:
    """Load the network in the stack ``directory`` with ``engine`` on ``threads`` CPU threads.

    ``batch``, or else the manifest, fixes the number of pictures in one call. Without either, the
    engine chooses the number.

    Raises:
        SettingError: the engine is unknown.
        StackError: the network cannot be loaded, or the engine's library is missing.
    """
    if engine not in get_args(Engine):
        raise SettingError(
            f"The engine {engine!r} is unknown; it is one of {', '.join(get_args(Engine))}."
        )
    name = _automatic(manifest) if engine == "auto" else engine
    file = directory / manifest.part(name).file
    options = manifest.engine.get(name, EngineOptions())
    batch = batch or options.batch
    wanted, columns, outputs = manifest.preprocessing, manifest.columns, options.outputs
    if name == "litert":
        from catdog_stream.models.engines.litert import LiteRTBackbone

        return LiteRTBackbone(file, wanted, columns, outputs=outputs, threads=threads, batch=batch)
    if name == "onnx":
        _require("onnxruntime", "ONNX Runtime", name)
        from catdog_stream.models.engines.onnx import OnnxBackbone

        return OnnxBackbone(
            file,
            wanted,
            columns,
            outputs=outputs,
            threads=threads,
            batch=batch,
            provider=onnx_provider,
        )
    _require("tensorflow", "TensorFlow", name)
    if outputs:
        raise StackError(f"The engine {name} reads the only output of a network, not a named one.")
    from catdog_stream.models.engines.tensorflow import TensorFlowBackbone

    return TensorFlowBackbone(file, manifest.network, wanted, columns, threads=threads, batch=batch)


def cpu_engine(manifest: Manifest) -> EngineName:
    """Return the fastest engine on a CPU for which the stack has a part."""
    engines: tuple[EngineName, ...] = ("litert", "onnx")
    return next((each for each in engines if each in manifest.parts), "tensorflow")


def _automatic(manifest: Manifest) -> EngineName:
    """Return the engine for a stack whose user chooses none."""
    if "tensorflow" in manifest.parts and _tensorflow_has_gpu():
        return "tensorflow"
    return cpu_engine(manifest)


def _require(module: str, library: str, engine: EngineName) -> None:
    if importlib.util.find_spec(module) is None:
        raise StackError(
            f"The engine {engine} needs {library}: pip install 'catdog-stream[{engine}]'."
        )


def _tensorflow_has_gpu() -> bool:
    if not any(device.exists() for device in _GPU_DEVICES):
        return False
    if importlib.util.find_spec("tensorflow") is None:
        return False
    from catdog_stream.models.engines.tensorflow import has_gpu

    return has_gpu()
