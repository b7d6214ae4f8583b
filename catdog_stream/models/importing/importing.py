"""Import of a classifier as a stack: read it, choose what is missing, check it on pictures."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np

from catdog_stream.errors import InputError, RejectedRequest
from catdog_stream.models.importing.choices import (
    ScoreKind,
    chosen_classes,
    input_format,
    output_kind,
    scores_output,
)
from catdog_stream.models.importing.config_files import facts_beside
from catdog_stream.models.importing.keras_model import to_tflite
from catdog_stream.models.importing.measuring import Checked, check_files, check_stack, labelled
from catdog_stream.models.importing.model_file import find_model
from catdog_stream.models.importing.network import Facts, Network
from catdog_stream.models.importing.onnx_file import read_onnx
from catdog_stream.models.importing.tflite_file import read_tflite
from catdog_stream.models.pictures import PictureLimits, decode
from catdog_stream.models.presets import PresetName
from catdog_stream.models.stacks.loading import load_backbone
from catdog_stream.models.stacks.manifest import (
    FILE_NAME,
    EngineOptions,
    Manifest,
    PartName,
    describe,
)
from catdog_stream.models.stacks.writing import write_loadable

__all__ = ["Imported", "Options", "import_model"]

_ONNX, _TFLITE, _KERAS = "network.onnx", "network.tflite", "network.keras"


@dataclass(frozen=True, slots=True)
class Options:
    """Values that the user gives; ``None`` where the model shall state them."""

    name: str
    version: str
    classes: tuple[str, ...] | None = None
    preset: PresetName | None = None
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``Preprocessing``."""
    scores: str | None = None
    """Name of the output with the scores."""
    features: str | None = None
    """Name of the output with the features, for an OOD score."""
    kind: ScoreKind | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of ``import_model``."""

    checked: Checked
    reason: str
    """Reason why the scores are logits or probabilities."""
    sources: list[str]
    """Sources of the classes and of the input format."""


def import_model(
    given: Path,
    output: Path,
    options: Options,
    pictures: Path | None = None,
    *,
    threads: int,
    limits: PictureLimits,
    progress: bool = True,
) -> Imported:
    """Write a stack of the model ``given`` to ``output``; write nothing on failure.

    Args:
        given: the model, or the folder that contains it.
        output: the directory of the stack.
        options: values that the user gives.
        pictures: folder of pictures, or of a folder for each class.
        threads: number of CPU threads.
        limits: size limits of a picture, those of a worker.
        progress: show the progress.

    Raises:
        InputError: the model cannot be read or used, or a value is missing.
        StackError: a library is missing, or the network cannot be computed.
    """
    model = find_model(given)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as temporary:
            directory = Path(temporary)
            network, files = _read(model, directory, options.preprocessing)
            facts = [network.facts, *facts_beside(model, given)]
            manifest = _manifest(directory, model, network, facts, files, options)
            kind, reason = options.kind, "as given"
            if kind is None:
                kind, reason = _kind(directory, manifest, network, pictures, threads, limits)
            checked = check_stack(
                directory,
                msgspec.structs.replace(manifest, output=kind),
                pictures,
                labelled(pictures, manifest.classes),
                threads=threads,
                limits=limits,
                progress=progress,
            )
            write_loadable(checked.manifest, directory, threads=threads)
            output.mkdir(exist_ok=True)
            for file in sorted(directory.iterdir(), key=lambda each: each.name == FILE_NAME):
                file.replace(output / file.name)  # the manifest last
    except OSError as error:
        raise InputError(f"The stack cannot be written to {output}: {error}.") from error
    used = [each.source for each in facts if each.classes or each.preprocessing]
    return Imported(checked, reason, used)


def _read(
    model: Path, directory: Path, given: Mapping[str, Any]
) -> tuple[Network, dict[PartName, str]]:
    """Write the network's files to ``directory``; return its description and the files."""
    if model.suffix.lower() == ".onnx":
        return read_onnx(model, directory / _ONNX), {"onnx": _ONNX}
    if model.suffix.lower() == ".tflite":
        return read_tflite(model, model.read_bytes(), directory / _TFLITE), {"litert": _TFLITE}
    shape = (given.get("size"), given.get("width", given.get("size")), 3)
    network = read_tflite(model, to_tflite(model, shape), directory / _TFLITE)
    if model.suffix.lower() != ".keras" or len(network.outputs) > 1:
        return network, {"litert": _TFLITE}
    (directory / _KERAS).write_bytes(model.read_bytes())
    return network, {"litert": _TFLITE, "tensorflow": _KERAS}  # TensorFlow runs on GPUs


def _manifest(
    directory: Path,
    model: Path,
    network: Network,
    facts: Sequence[Facts],
    files: Mapping[PartName, str],
    options: Options,
) -> Manifest:
    """Return the manifest of a stack that is not checked, whose scores are taken for logits."""
    classes = chosen_classes(network, facts, options.classes)
    scores = scores_output(network, len(classes), options.scores)
    others = {name: each.columns for name, each in network.outputs.items() if name != scores}
    if options.features is not None and not others.get(options.features):
        raise InputError(
            f"--features: {options.features!r} is none of the other outputs of a fixed size "
            f"({', '.join(others) or 'there are none'})."
        )
    return Manifest(
        name=options.name,
        version=options.version,
        classes=classes,
        preprocessing=input_format(network, facts, options.preset, options.preprocessing),
        output="logits",
        features=others.get(options.features or "") or 0,
        parts={part: describe(directory, file) for part, file in files.items()},
        engine={network.engine: EngineOptions(output=scores, features=options.features)},
        training={"imported": model.name},
    )


def _kind(
    directory: Path,
    manifest: Manifest,
    network: Network,
    pictures: Path | None,
    threads: int,
    limits: PictureLimits,
) -> tuple[ScoreKind, str]:
    """Return the kind of the scores of some pictures, and the reason in words."""
    prepared = [np.zeros(manifest.preprocessing.shape, np.uint8)]
    for file in check_files(pictures):
        with suppress(RejectedRequest):
            prepared.append(decode(file.read_bytes(), manifest.preprocessing, limits))
    backbone = load_backbone(network.engine, directory, manifest, threads, batch=1)
    rows = backbone.features(prepared)
    backbone.close()
    output = network.outputs[manifest.engine[network.engine].outputs[0]]
    scores = rows[:, : rows.shape[1] - manifest.features]
    return output_kind(output.operator, scores, backbone.output_step)
