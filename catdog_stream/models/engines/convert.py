"""Make both backbone files of a stack from float weights. Needs TensorFlow.

The input is an ``.npz`` of arrays named ``0000``, ``0001``, ... in the order of ``get_weights()``
of the network as ``networks`` builds it, or a PyTorch file of ``efficientnet_lite_pytorch``.
"""

import importlib.util
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catdog_stream.errors import InputError, StackError
from catdog_stream.models.engines.networks import NETWORKS, NetworkName
from catdog_stream.models.engines.networks.efficientnet_lite import weights_from_pytorch
from catdog_stream.models.engines.pytorch_file import read_tensors
from catdog_stream.models.preprocessing import Preprocessing

LITERT_FILE = "backbone.tflite"
TENSORFLOW_FILE = "backbone.weights.h5"

_PYTORCH_SUFFIXES = {".pth", ".pt"}
#: From PyTorch's tensors to Keras' weights.
_FROM_PYTORCH: dict[NetworkName, Callable[[Mapping[str, Any]], list[Any]]] = {
    "efficientnet_lite2": weights_from_pytorch
}


def convert(weights: Path, output: Path, network: NetworkName = "inception_v3") -> None:
    """Write ``backbone.tflite`` (int8 weights) and ``backbone.weights.h5`` (float16).

    ``output`` is created if need be. Raises ``InputError`` if ``weights`` is missing or does not
    hold the weights of this network, ``StackError`` if TensorFlow is not installed.
    """
    arrays = read_weights(weights, network)
    require_tensorflow("The conversion")
    from catdog_stream.models.engines.networks import build_network

    preprocessing = NETWORKS[network].preprocessing
    built = build_network(network, preprocessing.size)
    check_shapes(weights, arrays, built)
    write_backbone(arrays, network, preprocessing, output)


def write_backbone(
    arrays: Sequence[Any], network: NetworkName, preprocessing: Preprocessing, output: Path
) -> None:
    """Write both files of the network with these weights into ``output``.

    Raises ``InputError`` if they cannot be written.
    """
    from catdog_stream.models.engines.networks import build_network
    from catdog_stream.models.engines.tensorflow import to_litert

    built = build_network(network, preprocessing.size)
    built.set_weights(arrays)
    half = build_network(network, preprocessing.size, dtype="float16")
    half.set_weights(arrays)
    try:
        output.mkdir(parents=True, exist_ok=True)
        half.save_weights(output / TENSORFLOW_FILE)
        (output / LITERT_FILE).write_bytes(to_litert(built))
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.") from error


def require_tensorflow(who: str, extra: str = "tensorflow") -> None:
    """Raise ``StackError`` if TensorFlow, which ``who`` needs, is not installed."""
    if importlib.util.find_spec("tensorflow") is None:
        raise StackError(f"{who} needs TensorFlow: pip install 'catdog-stream[{extra}]'.")


def read_weights(file: Path, network: NetworkName) -> list[Any]:
    """The arrays in ``file`` in the order of ``get_weights()``, not compared with the network yet.

    Raises ``InputError`` if it is missing or cannot be read.
    """
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
        with np.load(npz, allow_pickle=False) as archive:
            return [archive[name] for name in sorted(archive.files)]
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{npz} is not an .npz file of weights: {error}.") from error


def check_shapes(file: Path, arrays: Sequence[Any], built: Any) -> None:
    """Raise ``InputError`` if ``arrays``, from ``file``, are no weights of ``built``, a network."""
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
