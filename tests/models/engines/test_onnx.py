"""Tests of ONNX Runtime with small networks of every type, layout, batch and set of outputs."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from catdog_stream.errors import StackError
from catdog_stream.models.engines.onnx import OnnxBackbone
from catdog_stream.models.preprocessing import DType, Preprocessing
from tests.support.onnx_files import colour_network, convolutional_network, one_output

RANGES: dict[str, tuple[int, int]] = {"uint8": (0, 255), "int8": (-128, 127)}
TOLERANCE = 1e-6
"""Largest difference of a value between two batches."""


def wanted_for(dtype: DType, layout: Any = "NCHW", **fields: Any) -> Preprocessing:
    return Preprocessing(
        6, width=9, dtype=dtype, layout=layout, range=RANGES.get(dtype, (-1, 1)), **fields
    )


def pictures(count: int) -> list[Any]:
    random = np.random.default_rng(0)
    return list(random.integers(0, 256, (count, 6, 9, 3), np.uint8))


def load(path: Path, network: bytes, wanted: Preprocessing, **options: Any) -> OnnxBackbone:
    file = path / "network.onnx"
    file.write_bytes(network)
    return OnnxBackbone(file, wanted, options.pop("features", 3), threads=2, **options)


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("batch", ["batch", 1, 4])
def test_every_type_layout_and_batch_gives_the_scores_of_the_formula(
    tmp_path: Path, dtype: DType, layout: str, batch: int | str
) -> None:
    wanted = wanted_for(dtype, layout)
    network = one_output(colour_network(wanted, batch=batch))
    backbone = load(tmp_path, network, wanted, batch=3)
    assert backbone.batch_size == (3 if batch == "batch" else batch)
    many = pictures(7)
    values = np.array([picture.mean(axis=(0, 1)) for picture in many])
    expected = 4 * (values - (0, 128)[dtype == "int8"]) / 127.5
    if dtype.startswith("float"):
        expected -= 4
    found = backbone.features(many)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4 if dtype != "float16" else 4e-3)
    alone = np.concatenate([backbone.features([picture]) for picture in many])
    np.testing.assert_allclose(alone, found, atol=TOLERANCE)
    assert backbone.features([]).shape == (0, 3)
    backbone.close()


def test_convolutions_in_batches_of_other_sizes_give_nearly_the_same(tmp_path: Path) -> None:
    """Bits are the same for one size; another size may round differently."""
    wanted = Preprocessing(64, layout="NCHW")
    random = np.random.default_rng(0)
    many = list(random.integers(0, 256, (8, 64, 64, 3), np.uint8))
    network = convolutional_network(wanted)
    sizes = [load(tmp_path, network, wanted, features=10, batch=size) for size in (1, 3, 8)]
    found = [backbone.features(many) for backbone in sizes]
    for backbone, together in zip(sizes, found, strict=True):
        alone = np.concatenate([backbone.features([picture]) for picture in many])
        np.testing.assert_array_equal(alone, together)
        np.testing.assert_allclose(together, found[0], rtol=0, atol=1e-5)
    assert np.ptp(found[0], axis=0).max() > 1e-3


def test_bgr_networks_get_the_channels_in_their_order(tmp_path: Path) -> None:
    rgb = wanted_for("float32")
    bgr = wanted_for("float32", channels="BGR")
    found = [
        load(tmp_path, one_output(colour_network(wanted)), wanted, batch=2).features(pictures(2))
        for wanted in (rgb, bgr)
    ]
    np.testing.assert_allclose(found[0], found[1], atol=TOLERANCE)


def test_of_several_outputs_the_named_ones_lie_side_by_side(tmp_path: Path) -> None:
    wanted = wanted_for("float32")
    network = colour_network(wanted)
    with pytest.raises(StackError, match="scores, features: the manifest must name one"):
        load(tmp_path, network, wanted)
    with pytest.raises(StackError, match="no output 'other'; it has scores, features"):
        load(tmp_path, network, wanted, outputs=("other",))
    both = load(tmp_path, network, wanted, outputs=("scores", "features"), features=6, batch=2)
    found = both.features(pictures(3))
    np.testing.assert_allclose(found[:, :3], 4 * found[:, 3:], atol=1e-5)
    one = load(tmp_path, network, wanted, outputs=("features",), batch=2)
    np.testing.assert_array_equal(one.features(pictures(3)), found[:, 3:])


def test_the_batch_is_searched_where_nothing_fixes_it(tmp_path: Path) -> None:
    wanted = wanted_for("float32")
    found = load(tmp_path, one_output(colour_network(wanted)), wanted)
    assert found.batch_size in (1, 2, 4, 8, 16, 32, 64)
    assert not found.on_gpu


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        (
            {"layout": "NHWC"},
            r"takes float32 \['batch', 3, 6, 9\], its manifest says float32 \['N'",
        ),
        ({"width": None}, "its manifest says"),
        ({"dtype": "uint8"}, "its manifest says uint8"),
    ],
)
def test_an_input_that_is_not_that_of_the_manifest_is_refused(
    tmp_path: Path, declared: dict[str, Any], reason: str
) -> None:
    wanted = wanted_for("float32")
    fields = {"size": 6, "width": 9, "layout": "NCHW", **declared}
    with pytest.raises(StackError, match=reason):
        load(tmp_path, one_output(colour_network(wanted)), Preprocessing(**fields))


@pytest.mark.parametrize("content", [b"", b"no model", colour_network(wanted_for("int8"))[:90]])
def test_what_is_no_network_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StackError, match="ONNX Runtime cannot read") as refused:
        load(tmp_path, content, wanted_for("float32"))
    assert "\n" not in str(refused.value)


def test_another_number_of_values_is_refused(tmp_path: Path) -> None:
    wanted = wanted_for("float32")
    with pytest.raises(StackError, match="gives 3 values for a picture"):
        load(tmp_path, one_output(colour_network(wanted)), wanted, features=(1, 2), batch=1)


def test_a_provider_that_is_not_installed_is_named_with_those_that_are(tmp_path: Path) -> None:
    wanted = wanted_for("float32")
    network = one_output(colour_network(wanted))
    with pytest.raises(StackError, match=r"CATDOG_ONNX_PROVIDER=abacus is not installed; .* cpu"):
        load(tmp_path, network, wanted, provider="abacus")
    load(tmp_path, network, wanted, provider="CPUExecutionProvider", batch=1)
    assert "CPUExecutionProvider" in onnxruntime.get_available_providers()
