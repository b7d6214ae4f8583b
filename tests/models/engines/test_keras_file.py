"""Tests of weights in the layout of ``keras.applications``; the tests write such files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catdog_stream.errors import InputError
from catdog_stream.models.engines.keras_file import read_keras_weights

h5py = pytest.importorskip("h5py")

KERNEL = np.arange(6, dtype=np.float32).reshape(2, 3)
BIAS = np.ones(3, np.float32)


def write(file: Path, layers: dict[str, dict[str, Any]]) -> None:
    """Write each layer by its name, and its weights by their names."""
    with h5py.File(file, "w") as content:
        content.attrs["layer_names"] = [name.encode() for name in layers]
        content.attrs["backend"] = b"tensorflow"
        for layer, weights in layers.items():
            group = content.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in weights]
            for name, value in weights.items():
                group[name] = value


def test_weights_come_in_the_order_of_the_layers_and_not_of_the_names(tmp_path: Path) -> None:
    layers: dict[str, dict[str, Any]] = {
        "input_1": {},
        "b": {"b/kernel:0": KERNEL, "b/bias:0": BIAS},
        "a": {"a/kernel:0": KERNEL + 1},
    }
    write(tmp_path / "weights.h5", layers)
    found = read_keras_weights(tmp_path / "weights.h5")
    for array, expected in zip(found, (KERNEL, BIAS, KERNEL + 1), strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.slow
def test_keras_writes_what_is_read(tmp_path: Path) -> None:
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    from catdog_stream.models.engines.networks import build_network

    network = build_network("inception_v3", 75)
    with h5py.File(tmp_path / "weights.h5", "w") as content:
        save_weights_to_hdf5_group(content, network)
    found = read_keras_weights(tmp_path / "weights.h5")
    for array, expected in zip(found, network.get_weights(), strict=True):
        np.testing.assert_array_equal(array, expected)


def test_another_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "weights.h5"
    with pytest.raises(InputError, match="There is no file"):
        read_keras_weights(file)
    file.write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    with pytest.raises(InputError, match=r"is not an \.h5 file of weights"):
        read_keras_weights(file)
    with h5py.File(file, "w") as content:
        content["model_config"] = b'{"class_name": "Lambda"}'
    with pytest.raises(InputError, match=r"is not an \.h5 file of weights"):
        read_keras_weights(file)
    for value in (np.array([b"text"]), np.arange(3)):
        write(file, {"a": {"a/kernel:0": value}})
        with pytest.raises(InputError, match=r"is not an \.h5 file of weights"):
            read_keras_weights(file)
    with h5py.File(file, "r+") as content:
        del content["a/a"]
        content["a/a/kernel:0"] = h5py.ExternalLink("/etc/passwd", "/")
    with pytest.raises(InputError, match=r"is not an \.h5 file of weights"):
        read_keras_weights(file)


def test_weights_that_unpack_to_too_much_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.h5"
    with h5py.File(file, "w") as content:
        content.attrs["layer_names"] = [b"a"]
        content.create_group("a").attrs["weight_names"] = [b"kernel:0"]
        content["a"].create_dataset("kernel:0", (1 << 30,), "f4", chunks=(1 << 20,))
    assert file.stat().st_size < 100_000
    with pytest.raises(InputError, match=r"more than the .* bytes that are read"):
        read_keras_weights(file)
