"""Backbone of a training from a file of another library: ``.onnx`` or ``.tflite``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from catdog_stream.errors import InputError
from catdog_stream.models.engines.convert import LITERT_FILE, ONNX_FILE
from catdog_stream.models.engines.description import Description
from catdog_stream.models.importing.choices import input_format
from catdog_stream.models.importing.config_files import facts_beside
from catdog_stream.models.importing.onnx_file import read_onnx
from catdog_stream.models.importing.tflite_file import read_tflite
from catdog_stream.models.presets import PRESETS, PresetName

__all__ = ["described_folder"]


@contextmanager
def described_folder(
    backbone: Path, preset: PresetName | None, size: int | None = None
) -> Iterator[Path]:
    """Yield ``backbone``, or a temporary folder with a network of another library as ``convert``'s.

    Args:
        backbone: what ``--backbone`` names.
        preset: library whose way to prepare pictures the network expects.
        size: width and height of the input, in pixels, if the network does not fix them.

    Raises:
        InputError: the file cannot be read, or does not state what is needed.
    """
    suffix = backbone.suffix.lower()
    if suffix not in (".onnx", ".tflite") or not backbone.is_file():
        if preset is not None:
            raise InputError("--preset is for a --backbone that is an .onnx or .tflite file.")
        yield backbone
        return
    with TemporaryDirectory(prefix="catdog-backbone-") as temporary:
        folder = Path(temporary)
        _describe(backbone, preset, size, folder)
        yield folder


def _describe(file: Path, preset: PresetName | None, size: int | None, folder: Path) -> None:
    if file.suffix.lower() == ".onnx":
        network = read_onnx(file, folder / ONNX_FILE)
    else:
        network = read_tflite(file, file.read_bytes(), folder / LITERT_FILE)
    facts = [network.facts, *facts_beside(file, file)]
    if preset is None and not any("range" in each.preprocessing for each in facts):
        raise InputError(
            f"{file} does not state how its pictures are prepared: --preset names the library that "
            f"trained it ({', '.join(PRESETS)})."
        )
    given = {}
    if "size" not in network.preprocessing and (size or preset):
        given = {"size": size or PRESETS[preset or "timm"].size}
    columns = {name: each.columns for name, each in network.outputs.items()}
    if len(columns) != 1 or None in columns.values():
        listed = ", ".join(f"{name} ({count or 'any'} values)" for name, count in columns.items())
        raise InputError(f"{file} gives {listed}: a backbone has one output, of a fixed size.")
    (features,) = columns.values()
    preprocessing = input_format(network, facts, preset, given)
    Description("inception_v3", preprocessing, features or 0).write(folder)
