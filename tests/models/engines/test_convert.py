"""Tests of the conversion of float weights: files with other content are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catdog_stream.errors import InputError
from catdog_stream.models.engines.convert import convert


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"weights\.npz"):
        convert(tmp_path / "weights.npz", tmp_path / "out")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file .*weights\.npz"):
        convert(tmp_path / "weights.npz", tmp_path / "out")


def test_a_lone_array_a_whole_network_or_a_pickle_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "lone.npy", np.zeros(3))
    (tmp_path / "network.onnx").write_bytes(b"\x08\x08\x12\x07pytorch")
    for name in ("lone.npy", "network.onnx"):
        with pytest.raises(InputError, match=f"{name} is no file of weights: an .npz of arrays"):
            convert(tmp_path / name, tmp_path / "out")
    np.savez(tmp_path / "pickle.npz", np.array([{"a": 1}], object))
    with pytest.raises(InputError, match="holds something that is no array of numbers"):
        convert(tmp_path / "pickle.npz", tmp_path / "out")


@pytest.mark.long
def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    few: dict[str, Any] = {"0000": np.zeros((3, 3, 3, 32), np.float16)}
    np.savez(tmp_path / "few.npz", **few)
    with pytest.raises(InputError, match="1 arrays, the network has 376"):
        convert(tmp_path / "few.npz", tmp_path / "out")
    many: dict[str, Any] = {f"{index:04}": np.zeros(7, np.float16) for index in range(376)}
    np.savez(tmp_path / "many.npz", **many)
    with pytest.raises(InputError, match="Array 0000"):
        convert(tmp_path / "many.npz", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_are_not_taken_from_files_of_another_network(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"inception_v3 are not read from PyTorch"):
        convert(tmp_path / "weights.pth", tmp_path / "out")
    with pytest.raises(InputError, match=r"no file .*weights\.pth"):
        convert(tmp_path / "weights.pth", tmp_path / "out", "efficientnet_lite2")
