"""Tests of Keras' EfficientNet-Lite2, against the definition written out in NumPy."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from catdog_stream.models.engines.networks import NETWORKS, build_network
from catdog_stream.models.engines.networks.efficientnet_lite import weights_from_pytorch

pytestmark = pytest.mark.slow

Array = npt.NDArray[np.float64]

#: Blocks: number, kernel, stride of the first, expansion, channels in and out.
STAGES = (
    (1, 3, 1, 1, 32, 16),
    (3, 3, 2, 6, 16, 24),
    (3, 5, 2, 6, 24, 48),
    (4, 3, 2, 6, 48, 88),
    (4, 5, 1, 6, 88, 120),
    (5, 5, 2, 6, 120, 208),
    (1, 3, 1, 6, 208, 352),
)


def blocks() -> Iterator[tuple[int, int, int, int, int]]:
    for count, kernel, stride, expansion, inputs, outputs in STAGES:
        yield kernel, stride, expansion, inputs, outputs
        yield from [(kernel, 1, expansion, outputs, outputs)] * (count - 1)


def random_tensors() -> dict[str, Array]:
    """Return tensors with the names and shapes of ``efficientnet_lite_pytorch``."""
    random = np.random.default_rng(2019)
    tensors: dict[str, Array] = {}

    def pair(convolution: str, norm: str, *shape: int) -> None:
        width = np.sqrt(2 / np.prod(shape[1:]))
        tensors[f"{convolution}.weight"] = random.normal(0, width, shape)
        tensors[f"{norm}.weight"] = random.uniform(0.5, 1.5, shape[0])
        tensors[f"{norm}.bias"] = random.normal(0, 0.5, shape[0])
        tensors[f"{norm}.running_mean"] = random.normal(0, 0.1, shape[0])
        tensors[f"{norm}.running_var"] = random.uniform(0.0005, 2, shape[0])

    pair("_conv_stem", "_bn0", 32, 3, 3, 3)
    for number, (kernel, _, expansion, inputs, outputs) in enumerate(blocks()):
        wide, name = inputs * expansion, f"_blocks.{number}"
        if expansion != 1:
            pair(f"{name}._expand_conv", f"{name}._bn0", wide, inputs, 1, 1)
        pair(f"{name}._depthwise_conv", f"{name}._bn1", wide, 1, kernel, kernel)
        pair(f"{name}._project_conv", f"{name}._bn2", outputs, wide, 1, 1)
    pair("_conv_head", "_bn1", 1280, 352, 1, 1)
    return tensors


def defined(picture: Array, tensors: dict[str, Array]) -> Array:
    """Return the features of ``picture`` [size, size, 3], computed step by step."""

    def normalised(x: Array, norm: str) -> Array:
        gain, bias, mean, variance = (
            tensors[f"{norm}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")
        )
        return gain * (x - mean) / np.sqrt(variance + 1e-3) + bias

    def windows(x: Array, kernel: int, stride: int) -> Array:
        """Return [height, width, channels, kernel, kernel], as many as fit when padded."""
        size = -(-len(x) // stride)
        around = max((size - 1) * stride + kernel - len(x), 0)
        padded = np.pad(x, ((around // 2, around - around // 2),) * 2 + ((0, 0),))
        every = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), (0, 1))
        return every[::stride, ::stride]

    def pointwise(x: Array, convolution: str, norm: str) -> Array:
        return normalised(x @ tensors[f"{convolution}.weight"][:, :, 0, 0].T, norm)

    def relu6(x: Array) -> Array:
        return np.clip(x, 0, 6)

    stem = np.einsum("hwcij,ocij->hwo", windows(picture, 3, 2), tensors["_conv_stem.weight"])
    x = relu6(normalised(stem, "_bn0"))
    for number, (kernel, stride, expansion, inputs, outputs) in enumerate(blocks()):
        name, entered = f"_blocks.{number}", x
        if expansion != 1:
            x = relu6(pointwise(x, f"{name}._expand_conv", f"{name}._bn0"))
        filters = tensors[f"{name}._depthwise_conv.weight"][:, 0]
        x = np.einsum("hwcij,cij->hwc", windows(x, kernel, stride), filters)
        x = relu6(normalised(x, f"{name}._bn1"))
        x = pointwise(x, f"{name}._project_conv", f"{name}._bn2")
        if stride == 1 and inputs == outputs:
            x = x + entered
    features: Array = relu6(pointwise(x, "_conv_head", "_bn1")).mean(axis=(0, 1))
    return features


@pytest.mark.parametrize("size", [64, 75])
def test_keras_network_with_pytorch_weights_gives_what_the_definition_gives(size: int) -> None:
    tensors = random_tensors()
    # Multiples of 1/128, because Keras converts input to float32: all else is float64 in both.
    pictures = np.random.default_rng(7).integers(-127, 129, (2, size, size, 3)) / 128
    network = build_network("efficientnet_lite2", size, dtype="float64")
    network.set_weights(weights_from_pytorch(tensors))
    expected = np.array([defined(picture, tensors) for picture in pictures])
    assert expected.shape == (2, NETWORKS["efficientnet_lite2"].features)
    assert 0.1 < expected.std() < 6
    found = network(pictures, training=False).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_network_can_be_trained_further() -> None:
    network = build_network("efficientnet_lite2", 64)
    norms = [layer for layer in network.layers if type(layer).__name__ == "BatchNormalization"]
    assert len(norms) == 1 + 20 * 3 + 2 + 1
    assert all(layer.trainable for layer in network.layers)
