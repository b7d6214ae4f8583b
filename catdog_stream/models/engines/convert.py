"""Make both backbone files of a stack from float weights. Needs TensorFlow.

The input is an ``.npz`` of 376 arrays named ``0000``, ``0001``, ... in the order of
``get_weights()`` of Keras' ``InceptionV3(include_top=False, pooling="avg")``.
"""

import importlib.util
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from catdog_stream.errors import InputError, StackError

INPUT_SIZE = 299
LITERT_FILE = "backbone.tflite"
TENSORFLOW_FILE = "backbone.weights.h5"


def convert(npz: Path, output: Path) -> None:
    """Write ``backbone.tflite`` (int8 weights) and ``backbone.weights.h5`` (float16).

    ``output`` is created if need be. Raises ``InputError`` if ``npz`` is missing or does not hold
    the weights of this network, ``StackError`` if TensorFlow is not installed.
    """
    arrays = _read(npz)
    if importlib.util.find_spec("tensorflow") is None:
        raise StackError(
            "The conversion needs TensorFlow: pip install 'catdog-stream[tensorflow]'."
        )
    from catdog_stream.models.engines.networks import build_network
    from catdog_stream.models.engines.tensorflow import to_litert

    network = build_network("inception_v3", INPUT_SIZE)
    _check_shapes(npz, arrays, [tuple(weight.shape) for weight in network.weights])
    network.set_weights(arrays)
    half = build_network("inception_v3", INPUT_SIZE, dtype="float16")
    half.set_weights(arrays)
    try:
        output.mkdir(parents=True, exist_ok=True)
        half.save_weights(output / TENSORFLOW_FILE)
        (output / LITERT_FILE).write_bytes(to_litert(network))
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.") from error


def _read(npz: Path) -> list[Any]:
    if not npz.is_file():
        raise InputError(f"There is no file {npz}.")
    try:
        with np.load(npz, allow_pickle=False) as archive:
            return [archive[name] for name in sorted(archive.files)]
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{npz} is not an .npz file of weights: {error}.") from error


def _check_shapes(npz: Path, arrays: list[Any], expected: list[tuple[int, ...]]) -> None:
    if len(arrays) != len(expected):
        raise InputError(f"{npz} holds {len(arrays)} arrays, the network has {len(expected)}.")
    for index, (array, shape) in enumerate(zip(arrays, expected, strict=True)):
        if array.shape != shape or array.dtype.kind != "f":
            raise InputError(
                f"Array {index:04} of {npz} is {array.dtype} {list(array.shape)}, "
                f"the network takes floats {list(shape)}."
            )
        if not np.isfinite(array).all():
            raise InputError(f"Array {index:04} of {npz} holds numbers that are not finite.")
