"""Read the weights that ``keras.applications`` offers for download, such as ImageNet's.

Such an ``.h5`` names its layers in the attribute ``layer_names``; each is a group that names its
weights in ``weight_names``, in the order of ``get_weights()``. They are read as arrays: no model is
loaded by Keras, which may bring code along. Needs h5py, which comes with TensorFlow.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import InputError, StackError

__all__ = ["read_keras_weights"]

#: All of Inception V3's floats take 87 MB. What unpacks to more is not read.
_MAX_BYTES = 512 * 1024 * 1024


def read_keras_weights(file: Path) -> list[npt.NDArray[np.float32]]:
    """The arrays in ``file``, in the order of ``get_weights()``.

    Raises ``InputError`` if it is missing or no such file, ``StackError`` if h5py is not installed.
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
