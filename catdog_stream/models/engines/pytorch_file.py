"""Reader of the tensors in a PyTorch file, without PyTorch and without executing the file.

The file contains pickles, and a pickle can call any function that it names. Here a pickle may name
four globals, which are replaced by harmless objects that describe a tensor. Any other name is
refused.

The format is that of ``torch.save`` before PyTorch 1.6: five pickles (a magic number, the version,
the machine, the tensors by name, the keys of the storages), then each storage: the count of its
numbers in eight bytes, and the numbers.
"""

import io
import math
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from catdog_stream.errors import InputError

__all__ = ["read_tensors"]

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Storage(NamedTuple):
    key: str
    dtype: Any
    numbers: int


class _Tensor(NamedTuple):
    """A view of a storage. The unit of offset and strides is a number, not a byte."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensors(file: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the tensors in ``file`` by their names; float32 and int64 are supported.

    Raises ``InputError`` if the file is missing, damaged, has other content than tensors, or has
    the newer format, a zip archive.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"There is no file {file}.") from None
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error
    if content.startswith(b"PK"):
        raise InputError(
            f"{file} is in PyTorch's newer format; torch.save(..., "
            "_use_new_zipfile_serialization=False) writes the one that is read."
        )
    try:
        return _read(io.BytesIO(content))
    # An unpickler raises any exception for bytes that are not a pickle, or a malicious one.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"{file} is no PyTorch file of tensors alone: {reason}.") from error


def _read(stream: io.BytesIO) -> dict[str, npt.NDArray[Any]]:
    if (_unpickled(stream), _unpickled(stream)) != (_MAGIC, _VERSION):
        raise ValueError("it does not begin as one")
    machine, tensors, keys = _unpickled(stream), _unpickled(stream), _unpickled(stream)
    if machine["little_endian"] is not True:
        raise ValueError("its numbers are big-endian")
    named = {
        name: tensor
        for name, tensor in tensors.items()
        if isinstance(name, str) and isinstance(tensor, _Tensor)
    }
    if not named or len(named) != len(tensors):
        raise ValueError("not all that it names are tensors")
    storages = {tensor.storage.key: tensor.storage for tensor in named.values()}
    numbers = {key: _numbers(stream, storages[key]) for key in keys}
    return {name: _view(numbers[tensor.storage.key], tensor) for name, tensor in named.items()}


def _numbers(stream: io.BytesIO, storage: _Storage) -> npt.NDArray[Any]:
    count = int.from_bytes(stream.read(8), "little")
    content = stream.read(storage.numbers * storage.dtype.itemsize)
    if count != storage.numbers or len(content) != count * storage.dtype.itemsize:
        raise ValueError(f"storage {storage.key} is cut off or has another size than it says")
    return np.frombuffer(content, storage.dtype)


def _view(numbers: npt.NDArray[Any], tensor: _Tensor) -> npt.NDArray[Any]:
    last = sum(
        (size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True)
    )
    # The second check: with strides of 0, a few numbers could make a tensor of any size.
    if tensor.offset + last >= len(numbers) or math.prod(tensor.shape) > len(numbers):
        raise ValueError("a tensor lies outside of its storage")
    strides = [stride * numbers.itemsize for stride in tensor.strides]
    return as_strided(numbers[tensor.offset :], tensor.shape, strides, writeable=False)


def _unpickled(stream: io.BytesIO) -> Any:
    return _Unpickler(stream).load()


# The unpickler in Python, since the unpickler in C allocates any memory that a pickle demands.
class _Unpickler(pickle._Unpickler):
    """Unpickler that accepts only tensors, their storages, and ordered dictionaries."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _TYPES:
            return name  # persistent_load looks up its dtype
        raise ValueError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, type_name, key, _device, count, view = pid
        if kind != "storage" or view is not None or not isinstance(key, str):
            raise ValueError("it holds something that is no tensor")
        return _Storage(key, _TYPES[type_name], _whole(count))


def _tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, _gradient: Any, _hooks: Any
) -> _Tensor:
    """Replace ``torch._utils._rebuild_tensor_v2``: return a description of the tensor."""
    if not isinstance(storage, _Storage):
        raise TypeError("a tensor has no storage")
    return _Tensor(storage, _whole(offset), tuple(map(_whole, shape)), tuple(map(_whole, strides)))


def _whole(number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValueError("a size is no whole number")
    return number
