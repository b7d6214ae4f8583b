"""Conversion of float weights to both backbone files of a stack. Needs TensorFlow.

The input is an ``.npz`` of arrays named ``0000``, ``0001``, ... in the order of ``get_weights()``
of the network as ``networks`` builds it, an ``.h5`` of ``keras.applications``, or a PyTorch file of
``efficientnet_lite_pytorch``.
"""

import importlib.util
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catdog_stream.errors import InputError, StackError
from catdog_stream.models.engines.backbone import Batch
from catdog_stream.models.engines.description import Description
from catdog_stream.models.engines.inputs import scaled
from catdog_stream.models.engines.keras_file import read_keras_weights
from catdog_stream.models.engines.litert import LiteRTBackbone
from catdog_stream.models.engines.networks import NETWORKS, NetworkName, build_network
from catdog_stream.models.engines.networks.efficientnet_lite import weights_from_pytorch
from catdog_stream.models.engines.pytorch_file import read_tensors

LITERT_FILE = "backbone.tflite"
TENSORFLOW_FILE = "backbone.weights.h5"
ONNX_FILE = "backbone.onnx"

_PYTORCH_SUFFIXES = {".pth", ".pt"}
#: Functions that convert PyTorch's tensors to Keras' weights.
_FROM_PYTORCH: dict[NetworkName, Callable[[Mapping[str, Any]], list[Any]]] = {
    "efficientnet_lite2": weights_from_pytorch
}


def convert(
    weights: Path,
    output: Path,
    network: NetworkName = "inception_v3",
    calibration: Batch = (),
) -> None:
    """Write ``backbone.tflite`` (int8 weights) and ``backbone.weights.h5`` (float16).

    Also writes ``backbone.json``, which states the network and its input format.

    Args:
        weights: the file with the weights.
        output: the directory to write to; it is created if it is missing.
        network: the architecture.
        calibration: some hundred typical pictures, as the network gets them. With them LiteRT
            computes in eight bits throughout. Without them only the weights have eight bits.

    Raises:
        InputError: ``weights`` is missing or has no weights of this network, or ``output`` cannot
            be written.
        StackError: TensorFlow is not installed, or LiteRT cannot load the written file.
    """
    arrays = read_weights(weights, network)
    require_tensorflow("The conversion")
    import catdog_stream.models.engines.tensorflow  # noqa: F401 - before Keras: it quiets its start

    wanted = NETWORKS[network].preprocessing
    built = build_network(network, wanted.size)
    check_shapes(weights, arrays, built)
    built.set_weights(arrays)
    write_backbone(network, built, output, [scaled(picture, wanted) for picture in calibration])
    try:
        Description(network, wanted, built.output_shape[-1]).write(output)
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.") from error
    written = Description.read(output)
    LiteRTBackbone(
        output / LITERT_FILE, written.preprocessing, written.features, threads=1, batch=1
    ).close()


def write_backbone(
    network: NetworkName, built: Any, output: Path, inputs: Sequence[Any] = ()
) -> None:
    """Write both files of ``built``, the Keras ``network`` with its weights, to ``output``.

    Args:
        network: the architecture.
        built: the Keras network.
        output: the directory to write to; it is created if it is missing.
        inputs: typical inputs of the network, from which LiteRT takes the ranges of the layers.

    Raises:
        InputError: the files cannot be written.
    """
    from catdog_stream.models.engines.tensorflow import to_litert

    half = build_network(network, built.input_shape[1], dtype="float16")
    half.set_weights(built.get_weights())
    try:
        output.mkdir(parents=True, exist_ok=True)
        half.save_weights(output / TENSORFLOW_FILE)
        half.load_weights(output / TENSORFLOW_FILE)
        (output / LITERT_FILE).write_bytes(to_litert(built, inputs))
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.") from error


def require_tensorflow(who: str, extra: str = "tensorflow") -> None:
    """Raise ``StackError`` if TensorFlow, which ``who`` needs, is not installed."""
    if importlib.util.find_spec("tensorflow") is None:
        raise StackError(f"{who} needs TensorFlow: pip install 'catdog-stream[{extra}]'.")


def read_weights(file: Path, network: NetworkName) -> list[Any]:
    """Return the arrays in ``file`` in the order of ``get_weights()``; shapes are not checked.

    Raises ``InputError`` if the file is missing or cannot be read.
    """
    if file.suffix == ".h5":
        return read_keras_weights(file)
    if file.suffix not in _PYTORCH_SUFFIXES:
        return _read_npz(file)
    if network not in _FROM_PYTORCH:
        raise InputError(f"Weights of {network} are not read from PyTorch's files.")
    tensors = read_tensors(file)
    try:
        return _FROM_PYTORCH[network](tensors)
    except (KeyError, ValueError) as error:
        raise InputError(f"{file} does not hold the weights of {network}: {error}.") from error


def _read_npz(npz: Path) -> list[Any]:
    if not npz.is_file():
        raise InputError(f"There is no file {npz}.")
    try:
        # NumPy takes any other file for a pickle.
        if zipfile.is_zipfile(npz):
            with np.load(npz, allow_pickle=False) as archive:
                return [archive[name] for name in sorted(archive.files)]
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{npz} holds something that is no array of numbers.") from error
    raise InputError(
        f"{npz} is no file of weights: an .npz of arrays, Keras' .h5 and PyTorch's .pth are read."
    )


def check_shapes(file: Path, arrays: Sequence[Any], built: Any) -> None:
    """Raise ``InputError`` unless ``arrays``, from ``file``, are finite and fit ``built``.

    ``built`` is a Keras network.
    """
    expected = [tuple(weight.shape) for weight in built.weights]
    if len(arrays) != len(expected):
        raise InputError(f"{file} holds {len(arrays)} arrays, the network has {len(expected)}.")
    for index, (array, shape) in enumerate(zip(arrays, expected, strict=True)):
        if array.shape != shape or array.dtype.kind != "f":
            raise InputError(
                f"Array {index:04} of {file} is {array.dtype} {list(array.shape)}, "
                f"the network takes floats {list(shape)}."
            )
        if not np.isfinite(array).all():
            raise InputError(f"Array {index:04} of {file} holds numbers that are not finite.")
