"""Tests of the error of LiteRT's files, with weights or all numbers in eight bits."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from catdog_stream.models.engines.backbone import Pictures
from catdog_stream.models.engines.inputs import scaled
from catdog_stream.models.engines.litert import LiteRTBackbone
from catdog_stream.models.preprocessing import Preprocessing
from tests.models.derived import derived_pictures

pytestmark = pytest.mark.slow

SIZE = 64
WANTED = Preprocessing(SIZE)
FEATURES = 32


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return np.array([picture[::4, ::4][:SIZE, :SIZE] for picture in derived_pictures(40)])


@pytest.fixture(scope="module")
def network() -> Any:
    """Return a few layers of the kinds that backbones have, with the same weights in every run."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(2019)
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Conv2D(16, 3, 2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.DepthwiseConv2D(3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.Conv2D(FEATURES, 1),
            layers.GlobalAveragePooling2D(),
        ]
    )


def error(network: Any, converted: bytes, pictures: Pictures, directory: Path) -> float:
    """Return the largest difference of a feature, in standard deviations of all features."""
    file = directory / "backbone.tflite"
    file.write_bytes(converted)
    backbone = LiteRTBackbone(file, WANTED, FEATURES, threads=2)
    found = backbone.features(pictures)
    np.testing.assert_array_equal(backbone.features(pictures[:1]), found[:1])
    backbone.close()
    inputs = np.array([scaled(picture, WANTED) for picture in pictures])
    expected: npt.NDArray[np.float32] = network(inputs, training=False).numpy()
    return float(np.abs(found - expected).max() / expected.std())


def floats(converted: bytes) -> int:
    """Return the float32 tensors of the network."""
    from ai_edge_litert.interpreter import Interpreter

    tensors = Interpreter(model_content=converted).get_tensor_details()
    return sum(each["dtype"] == np.float32 for each in tensors)


@pytest.mark.long
def test_eight_bits_throughout_leave_floats_at_both_ends_and_change_little(
    network: Any, pictures: Pictures, tmp_path: Path
) -> None:
    from catdog_stream.models.engines.tensorflow import to_litert

    weights_alone = to_litert(network)
    assert floats(weights_alone) > 2
    assert error(network, weights_alone, pictures, tmp_path) < 0.1
    throughout = to_litert(network, [scaled(picture, WANTED) for picture in pictures])
    assert floats(throughout) == 2
    assert error(network, throughout, pictures, tmp_path) < 0.1


def test_ranges_are_those_of_the_pictures(network: Any, pictures: Pictures, tmp_path: Path) -> None:
    from catdog_stream.models.engines.tensorflow import to_litert

    dark = to_litert(network, [scaled(picture // 16, WANTED) for picture in pictures[:4]])
    assert error(network, dark, pictures, tmp_path) > 0.5
