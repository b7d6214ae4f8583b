"""Files of arrays of floats, ``.npz``, that are part of a stack. The files are untrusted."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import StackError

__all__ = ["read_arrays"]


def read_arrays(
    file: Path, names: Sequence[str], *, most_bytes: int
) -> list[npt.NDArray[np.floating]]:
    """Return the arrays ``names`` of ``file``, of finite floats. No pickle is executed.

    Raises ``StackError`` if the file is damaged, or has more than ``most_bytes`` of arrays.
    """
    try:
        arrays = _read(file, names, most_bytes)
    except Exception as error:
        # zipfile, zlib and NumPy raise any exception for damaged bytes.
        raise StackError(f"{file} cannot be read as arrays of numbers.") from error
    if not all(np.isfinite(array).all() for array in arrays):
        raise StackError(f"{file} has numbers that are infinite, or none.")
    return arrays


def _read(file: Path, names: Sequence[str], most_bytes: int) -> list[npt.NDArray[np.floating]]:
    with zipfile.ZipFile(file) as archive:
        if sum(member.file_size for member in archive.infolist()) > most_bytes:
            raise ValueError("too large")
        members = [archive.read(f"{name}.npy") for name in names]
    arrays = [np.load(io.BytesIO(member), allow_pickle=False) for member in members]
    if any(array.dtype.kind != "f" for array in arrays):
        raise ValueError("no floats")
    return arrays
