"""EfficientNet-Lite2: inverted residual blocks made for small machines.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), table
1, in the Lite variant of the authors: no squeeze-and-excitation, ReLU6 in the place of swish, and
the stem, the head, and the repeats of the first and the last stage are not scaled.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["efficientnet_lite2", "weights_from_pytorch"]

Array = npt.NDArray[Any]

#: Of Lite2: how many times as wide and as deep as Lite0 it is.
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
#: Of the batch normalisation, as in the training of the published weights.
_MOMENTUM, _EPSILON = 0.99, 1e-3


@dataclass(frozen=True, slots=True)
class _Block:
    """One inverted residual block: expand, filter each channel, project."""

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
    """The nearest multiple of 8, and the next one if that would take away more than a tenth."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


def efficientnet_lite2(input_size: int) -> Any:
    """1,280 features, the global average of the last feature map. It can be trained further."""
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
    """What ``get_weights()`` gives, of the tensors of ``efficientnet_lite_pytorch`` by their names.

    Its classifier is left out. Raises ``KeyError`` if one is missing, ``ValueError`` if one has the
    wrong number of axes.
    """
    arrays: list[Array] = []
    for convolution, norm in _pytorch_names():
        kernel = tensors[f"{convolution}.weight"]
        # PyTorch: outputs, inputs, height, width. A depthwise one has a single input to each output
        # there, and in Keras, whose order is height, width, inputs, outputs, a single output.
        depthwise = convolution.endswith("_depthwise_conv")
        arrays.append(np.transpose(kernel, (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)))
        arrays += [
            tensors[f"{norm}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")
        ]
    return arrays


def _pytorch_names() -> Iterator[tuple[str, str]]:
    """Each convolution and its batch normalisation, in the order of the network."""
    yield "_conv_stem", "_bn0"
    for number, shape in enumerate(_blocks()):
        if shape.expansion != 1:
            yield f"_blocks.{number}._expand_conv", f"_blocks.{number}._bn0"
        yield f"_blocks.{number}._depthwise_conv", f"_blocks.{number}._bn1"
        yield f"_blocks.{number}._project_conv", f"_blocks.{number}._bn2"
    yield "_conv_head", "_bn1"
