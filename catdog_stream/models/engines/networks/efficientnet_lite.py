"""EfficientNet-Lite2: inverted residual blocks for small devices.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), table
1, in the authors' Lite variant: without squeeze-and-excitation, with ReLU6 instead of swish, and
without scaling of the stem, the head, and the repeats of the first and the last stage.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["efficientnet_lite2", "weights_from_pytorch"]

Array = npt.NDArray[Any]

#: Width and depth of Lite2, as factors of Lite0.
_WIDTH, _DEPTH = 1.1, 1.2
_STEM, _HEAD = 32, 1280
#: Lite0's stages: repeats, kernel, stride of the first block, expansion, channels.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
#: Parameters of the batch normalization, as in the training of the published weights.
_MOMENTUM, _EPSILON = 0.99, 1e-3


@dataclass(frozen=True, slots=True)
class _Block:
    """Inverted residual block: expand, filter each channel, project."""

    kernel: int
    stride: int
    expansion: int
    inputs: int
    outputs: int


def _blocks() -> Iterator[_Block]:
    inputs = _STEM
    for number, (repeats, kernel, stride, expansion, channels) in enumerate(_STAGES):
        outputs = _rounded(channels * _WIDTH)
        fixed = number in (0, len(_STAGES) - 1)
        for repeat in range(repeats if fixed else math.ceil(repeats * _DEPTH)):
            yield _Block(kernel, 1 if repeat else stride, expansion, inputs, outputs)
            inputs = outputs


def _rounded(channels: float) -> int:
    """Return the nearest multiple of 8, or the next larger one if that loses more than 10 %."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


def efficientnet_lite2(input_size: int) -> Any:
    """Build the Keras network: 1,280 features, the global average of the last feature map.

    The network can be trained.
    """
    import keras
    from keras import layers

    def normalised(x: Any, name: str) -> Any:
        norm = layers.BatchNormalization(momentum=_MOMENTUM, epsilon=_EPSILON, name=f"{name}_norm")
        return norm(x)

    def pointwise(x: Any, channels: int, name: str) -> Any:
        convolution = layers.Conv2D(channels, 1, padding="same", use_bias=False, name=name)
        return normalised(convolution(x), name)

    def block(x: Any, shape: _Block, name: str) -> Any:
        entered = x
        if shape.expansion != 1:
            x = pointwise(x, shape.inputs * shape.expansion, f"{name}_expand")
            x = layers.ReLU(6.0, name=f"{name}_expand_relu")(x)
        x = layers.DepthwiseConv2D(
            shape.kernel, shape.stride, padding="same", use_bias=False, name=f"{name}_depthwise"
        )(x)
        x = layers.ReLU(6.0, name=f"{name}_relu")(normalised(x, f"{name}_depthwise"))
        x = pointwise(x, shape.outputs, f"{name}_project")
        if shape.stride == 1 and shape.inputs == shape.outputs:
            x = layers.Add(name=f"{name}_add")([x, entered])
        return x

    picture = keras.Input((input_size, input_size, 3))
    stem = layers.Conv2D(_STEM, 3, 2, padding="same", use_bias=False, name="stem")
    x = layers.ReLU(6.0, name="stem_relu")(normalised(stem(picture), "stem"))
    for number, shape in enumerate(_blocks()):
        x = block(x, shape, f"block{number}")
    x = layers.ReLU(6.0, name="head_relu")(pointwise(x, _HEAD, "head"))
    features = layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(picture, features, name="efficientnet_lite2")


def weights_from_pytorch(tensors: Mapping[str, Array]) -> list[Array]:
    """Convert the tensors of ``efficientnet_lite_pytorch`` to the arrays of ``get_weights()``.

    Leaves out the classifier.

    Raises:
        KeyError: a tensor is missing.
        ValueError: a tensor has a wrong number of axes.
    """
    arrays: list[Array] = []
    for convolution, norm in _pytorch_names():
        kernel = tensors[f"{convolution}.weight"]
        # Axes in PyTorch: outputs, inputs, height, width; in Keras: height, width, inputs, outputs.
        # A depthwise convolution has one input per output in PyTorch, one output per input in
        # Keras.
        depthwise = convolution.endswith("_depthwise_conv")
        arrays.append(np.transpose(kernel, (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)))
        arrays += [
            tensors[f"{norm}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")
        ]
    return arrays


def _pytorch_names() -> Iterator[tuple[str, str]]:
    """Yield the names of each convolution and its batch normalization, in the network's order."""
    yield "_conv_stem", "_bn0"
    for number, shape in enumerate(_blocks()):
        if shape.expansion != 1:
            yield f"_blocks.{number}._expand_conv", f"_blocks.{number}._bn0"
        yield f"_blocks.{number}._depthwise_conv", f"_blocks.{number}._bn1"
        yield f"_blocks.{number}._project_conv", f"_blocks.{number}._bn2"
    yield "_conv_head", "_bn1"
