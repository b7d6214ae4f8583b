"""Tests of the values of a network's input: in every type and layout, from the same formula."""

from typing import Any

import numpy as np
import pytest

from catdog_stream.models.engines.inputs import Quantization, scaled, write_input
from catdog_stream.models.preprocessing import DType, Preprocessing

PICTURE = (np.arange(8 * 16 * 3) % 256).astype(np.uint8).reshape(8, 16, 3)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STATISTICS: dict[str, Any] = {"range": (0, 1), "mean": MEAN, "std": STD}


def test_scaling_in_place_gives_the_same_bits_as_the_formula() -> None:
    out = np.full(PICTURE.shape, np.nan, np.float32)
    write_input(PICTURE, Preprocessing(8, width=16), out)
    formula = PICTURE.astype(np.float32) / np.float32(127.5) - np.float32(1)
    assert out.tobytes() == formula.tobytes() == scaled(PICTURE, Preprocessing(8)).tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_mean_and_deviation_belong_to_the_channels_in_the_order_of_the_network(
    dtype: DType,
) -> None:
    expected = (PICTURE / 255 - MEAN) / STD
    out = np.empty((8, 16, 3), dtype)
    write_input(PICTURE, Preprocessing(8, width=16, dtype=dtype, **STATISTICS), out)
    np.testing.assert_allclose(out, expected, rtol=2e-3, atol=2e-3)
    turned = {**STATISTICS, "mean": MEAN[::-1], "std": STD[::-1], "channels": "BGR"}
    out = np.empty((3, 8, 16), dtype)
    write_input(PICTURE, Preprocessing(8, layout="NCHW", dtype=dtype, **turned), out)
    np.testing.assert_allclose(np.moveaxis(out, 0, -1), expected[..., ::-1], rtol=2e-3, atol=2e-3)


def test_integers_are_the_bytes_or_the_bytes_around_zero() -> None:
    out = np.empty(PICTURE.shape, np.uint8)
    write_input(PICTURE, Preprocessing(8, range=(0, 255), dtype="uint8"), out)
    np.testing.assert_array_equal(out, PICTURE)
    signed = np.empty(PICTURE.shape, np.int8)
    write_input(PICTURE, Preprocessing(8, range=(-128, 127), dtype="int8"), signed)
    np.testing.assert_array_equal(signed, PICTURE.astype(np.int16) - 128)


def test_a_quantized_input_is_quantized_as_its_file_says_and_never_wraps() -> None:
    wanted = Preprocessing(8, dtype="int8")  # -1 to 1
    out = np.empty(PICTURE.shape, np.int8)
    write_input(PICTURE, wanted, out, Quantization(1 / 127.5, -1))
    back = (out.astype(float) + 1) / 127.5
    assert np.abs(back - (PICTURE / 127.5 - 1)).max() <= 0.51 / 127.5
    write_input(PICTURE, wanted, out, Quantization(1 / 1000, 0))
    assert (out.min(), out.max()) == (-128, 127)
