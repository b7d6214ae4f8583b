"""Reader of the ``.h5`` weight files of ``keras.applications``, such as ImageNet's.

The attribute ``layer_names`` of the file lists the layers. Each layer is a group, whose attribute
``weight_names`` lists the weights in the order of ``get_weights()``. The weights are read as
arrays, not as a Keras model, since a model may contain code. Needs h5py, a dependency of
TensorFlow.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import InputError, StackError

__all__ = ["read_keras_weights"]

#: Largest decompressed size. Inception V3's weights take 87 MB.
_MAX_BYTES = 512 * 1024 * 1024


def read_keras_weights(file: Path) -> list[npt.NDArray[np.float32]]:
    """Return the arrays in ``file``, in the order of ``get_weights()``.

    Raises ``InputError`` if the file is missing or has another format, ``StackError`` if h5py is
    not installed.
    """
    if not file.is_file():
        raise InputError(f"There is no file {file}.")
    if importlib.util.find_spec("h5py") is None:
        raise StackError("An .h5 file needs TensorFlow: pip install 'catdog-stream[tensorflow]'.")
    import h5py

    try:
        with h5py.File(file, "r") as content:
            datasets = list(_datasets(h5py, content))
            if sum(dataset.nbytes for dataset in datasets) > _MAX_BYTES:
                raise InputError(f"{file} holds more than the {_MAX_BYTES} bytes that are read.")
            return [dataset[...] for dataset in datasets]
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise InputError(f"{file} is not an .h5 file of weights as Keras offers them.") from error


def _datasets(h5py: Any, content: Any) -> Iterator[Any]:
    for layer in content.attrs["layer_names"]:
        group = content[layer]
        for name in group.attrs["weight_names"]:
            dataset = group[name]
            if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind != "f":
                raise TypeError("weights are arrays of floats")
            yield dataset
