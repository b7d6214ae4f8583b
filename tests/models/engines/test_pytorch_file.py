"""Tests of PyTorch files: they are read without PyTorch, and no code in them is executed."""

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.errors import InputError
from catdog_stream.models.engines.pytorch_file import read_tensors

BEGINNING = tuple(
    pickle.dumps(each, 2)
    for each in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True})
)
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


def inside(value: Any) -> bytes:
    """Return the opcodes that leave ``value`` on a pickle's stack."""
    return pickle.dumps(value, 2)[2:-1]


def called(function: bytes, *arguments: bytes) -> bytes:
    return function + b"(" + b"".join(arguments) + b"tR"


def tensor(key: str, count: int, shape: Any, strides: Any, offset: Any = 0) -> bytes:
    storage = b"(" + inside("storage") + b"ctorch\nFloatStorage\n" + inside(key)
    storage += inside("cpu") + inside(count) + b"NtQ"
    hooks = called(b"ccollections\nOrderedDict\n")
    return called(
        REBUILD, storage, inside(offset), inside(shape), inside(strides), inside(False), hooks
    )


def dictionary(**entries: bytes) -> bytes:
    pairs = b"".join(inside(name) + value for name, value in entries.items())
    return b"\x80\x02" + called(b"ccollections\nOrderedDict\n") + b"(" + pairs + b"u."


def content(tensors: bytes, **storages: Any) -> bytes:
    """Return a file as ``torch.save`` writes it."""
    parts = [*BEGINNING, tensors, pickle.dumps(list(storages), 2)]
    for numbers in storages.values():
        parts += [len(numbers).to_bytes(8, "little"), np.asarray(numbers, "<f4").tobytes()]
    return b"".join(parts)


SIX = content(
    dictionary(
        rows=tensor("a", 6, (2, 3), (3, 1)),
        columns=tensor("a", 6, (2, 3), (1, 2)),
        last=tensor("a", 6, (2,), (1,), offset=4),
        one=tensor("b", 1, (), ()),
    ),
    b=[7],
    a=[0, 1, 2, 3, 4, 5],
)


def read(tmp_path: Path, data: bytes) -> dict[str, Any]:
    file = tmp_path / "tensors.pth"
    file.write_bytes(data)
    return read_tensors(file)


def test_tensors_are_views_of_their_storages(tmp_path: Path) -> None:
    found = {name: array.tolist() for name, array in read(tmp_path, SIX).items()}
    assert found == {
        "rows": [[0, 1, 2], [3, 4, 5]],
        "columns": [[0, 2, 4], [1, 3, 5]],
        "last": [4, 5],
        "one": 7,
    }


def test_what_a_file_asks_to_be_called_is_not_called(tmp_path: Path) -> None:
    mark = tmp_path / "called"
    for function in (b"cos\nsystem\n", b"cbuiltins\neval\n", b"ctorch\nload\n"):
        order = called(function, inside(f"touch {mark}"))
        with pytest.raises(InputError, match="asks for"):
            read(tmp_path, content(dictionary(weight=order)))
    # The same call in place of the magic number, which is read first.
    with pytest.raises(InputError, match=r"asks for os\.system"):
        read(tmp_path, b"\x80\x02" + called(b"cos\nsystem\n", inside(f"touch {mark}")) + b".")
    assert not mark.exists()


@pytest.mark.parametrize(
    "tensors",
    [
        tensor("a", 6, (2, 4), (4, 1)),
        tensor("a", 6, (2, 3), (3, 1), offset=1),
        tensor("a", 6, (2, 3), (3, 1), offset=-1),
        tensor("a", 6, (3,), (-1,), offset=5),
        tensor("a", 6, (10**12,), (0,)),
        tensor("a", 6, (2, 3), (3,)),
        tensor("a", 7, (2, 3), (3, 1)),
        tensor("a", 6, (2.0, 3), (3, 1)),
        tensor("nowhere", 6, (2, 3), (3, 1)),
        inside([1.0, 2.0]),
        called(REBUILD, inside("no storage"), inside(0), inside((1,)), inside((1,)), b"NN"),
        REBUILD,
    ],
)
def test_tensor_that_does_not_fit_its_storage_is_refused(tmp_path: Path, tensors: bytes) -> None:
    with pytest.raises(InputError, match=r"tensors\.pth"):
        read(tmp_path, content(dictionary(weight=tensors), a=range(6)))


def test_index_that_would_fill_the_memory_does_not(tmp_path: Path) -> None:
    # LONG_BINPUT: the unpickler in C allocates a table with that number of entries.
    greedy = b"\x80\x02Nr" + (2**32 - 1).to_bytes(4, "little") + b"."
    with pytest.raises(InputError, match="begin"):
        read(tmp_path, greedy + BEGINNING[1])


@given(st.integers(0, len(SIX) - 1))
def test_file_that_is_cut_off_is_refused(tmp_path_factory: Any, length: int) -> None:
    with pytest.raises(InputError):
        read(tmp_path_factory.mktemp("cut"), SIX[:length])


@given(st.integers(0, len(SIX) - 1), st.integers(1, 255))
def test_damaged_file_is_refused_or_read_and_nothing_else(
    tmp_path_factory: Any, place: int, change: int
) -> None:
    damaged = SIX[:place] + bytes([SIX[place] ^ change]) + SIX[place + 1 :]
    try:
        found = read(tmp_path_factory.mktemp("damaged"), damaged)
    except InputError:
        return
    assert sum(math.prod(array.shape) for array in found.values()) <= 4 * 6


def test_other_formats_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="_use_new_zipfile_serialization"):
        read(tmp_path, b"PK\x03\x04")
    with pytest.raises(InputError, match="no file"):
        read_tensors(tmp_path / "nowhere.pth")
    with pytest.raises(InputError, match="cannot be read"):
        read_tensors(tmp_path)
