"""TF-Slim's Inception V3 by hand: only ``tf.nn``, after the definition of the network.

``slim/nets/inception_v3.py`` of the TensorFlow models names scopes, sizes, strides and paddings; a
``conv2d`` of Slim is a convolution without a bias, a batch normalisation without a scale (epsilon
0.001), and a ReLU. The graph requests each variable by its name and shape, so the run that computes
the output can also generate the variables.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Values = dict[str, npt.NDArray[Any]]
GetVariable = Callable[[str, tuple[int, ...]], Any]


class Slim:
    """Layers, each with its scope."""

    def __init__(self, variable: GetVariable, scope: str = "InceptionV3") -> None:
        self._variable = variable
        self._scope = scope

    def within(self, scope: str) -> "Slim":
        return Slim(self._variable, f"{self._scope}/{scope}")

    def conv(
        self,
        net: Any,
        depth: int,
        kernel: tuple[int, int],
        scope: str,
        *,
        stride: int = 1,
        padding: str = "SAME",
    ) -> Any:
        name = f"{self._scope}/{scope}"
        weights = self._variable(f"{name}/weights", (*kernel, int(net.shape[-1]), depth))
        mean = self._variable(f"{name}/BatchNorm/moving_mean", (depth,))
        variance = self._variable(f"{name}/BatchNorm/moving_variance", (depth,))
        beta = self._variable(f"{name}/BatchNorm/beta", (depth,))
        net = tf.nn.conv2d(net, weights, stride, padding)
        return tf.nn.relu((net - mean) / tf.sqrt(variance + 0.001) + beta)


def pool(net: Any) -> Any:
    return tf.nn.max_pool2d(net, 3, 2, "VALID")


def average(net: Any) -> Any:
    return tf.nn.avg_pool2d(net, 3, 1, "SAME")


def probabilities(images: Any, variable: GetVariable) -> Any:
    """Return the softmax [n, 1001] of images, float [n, 299, 299, 3] in -1 to 1."""
    slim = Slim(variable)
    net = slim.conv(images, 32, (3, 3), "Conv2d_1a_3x3", stride=2, padding="VALID")
    net = slim.conv(net, 32, (3, 3), "Conv2d_2a_3x3", padding="VALID")
    net = pool(slim.conv(net, 64, (3, 3), "Conv2d_2b_3x3"))
    net = slim.conv(net, 80, (1, 1), "Conv2d_3b_1x1", padding="VALID")
    net = pool(slim.conv(net, 192, (3, 3), "Conv2d_4a_3x3", padding="VALID"))
    net = block_35(slim.within("Mixed_5b"), net, 32)
    net = block_35(slim.within("Mixed_5c"), net, 64, ("Conv2d_0b_1x1", "Conv_1_0c_5x5"))
    net = block_35(slim.within("Mixed_5d"), net, 64)
    net = reduction_17(slim.within("Mixed_6a"), net)
    net = block_17(slim.within("Mixed_6b"), net, 128)
    net = block_17(slim.within("Mixed_6c"), net, 160)
    net = block_17(slim.within("Mixed_6d"), net, 160)
    net = block_17(slim.within("Mixed_6e"), net, 192)
    net = reduction_8(slim.within("Mixed_7a"), net)
    net = block_8(slim.within("Mixed_7b"), net, "Conv2d_0b_3x1")
    net = block_8(slim.within("Mixed_7c"), net, "Conv2d_0c_3x1")
    net = tf.nn.avg_pool2d(net, 8, 1, "VALID")
    weights = variable("InceptionV3/Logits/Conv2d_1c_1x1/weights", (1, 1, 2048, 1001))
    biases = variable("InceptionV3/Logits/Conv2d_1c_1x1/biases", (1001,))
    logits = tf.nn.conv2d(net, weights, 1, "SAME") + biases
    return tf.nn.softmax(tf.squeeze(logits, [1, 2]))


def block_35(
    slim: Slim, net: Any, last: int, second: tuple[str, str] = ("Conv2d_0a_1x1", "Conv2d_0b_5x5")
) -> Any:
    b0, b1, b2, b3 = (slim.within(f"Branch_{number}") for number in range(4))
    branch_0 = b0.conv(net, 64, (1, 1), "Conv2d_0a_1x1")
    branch_1 = b1.conv(net, 48, (1, 1), second[0])
    branch_1 = b1.conv(branch_1, 64, (5, 5), second[1])
    branch_2 = b2.conv(net, 64, (1, 1), "Conv2d_0a_1x1")
    branch_2 = b2.conv(branch_2, 96, (3, 3), "Conv2d_0b_3x3")
    branch_2 = b2.conv(branch_2, 96, (3, 3), "Conv2d_0c_3x3")
    branch_3 = b3.conv(average(net), last, (1, 1), "Conv2d_0b_1x1")
    return tf.concat([branch_0, branch_1, branch_2, branch_3], 3)


def reduction_17(slim: Slim, net: Any) -> Any:
    b0, b1 = slim.within("Branch_0"), slim.within("Branch_1")
    branch_0 = b0.conv(net, 384, (3, 3), "Conv2d_1a_1x1", stride=2, padding="VALID")
    branch_1 = b1.conv(net, 64, (1, 1), "Conv2d_0a_1x1")
    branch_1 = b1.conv(branch_1, 96, (3, 3), "Conv2d_0b_3x3")
    branch_1 = b1.conv(branch_1, 96, (3, 3), "Conv2d_1a_1x1", stride=2, padding="VALID")
    return tf.concat([branch_0, branch_1, pool(net)], 3)


def block_17(slim: Slim, net: Any, depth: int) -> Any:
    b0, b1, b2, b3 = (slim.within(f"Branch_{number}") for number in range(4))
    branch_0 = b0.conv(net, 192, (1, 1), "Conv2d_0a_1x1")
    branch_1 = b1.conv(net, depth, (1, 1), "Conv2d_0a_1x1")
    branch_1 = b1.conv(branch_1, depth, (1, 7), "Conv2d_0b_1x7")
    branch_1 = b1.conv(branch_1, 192, (7, 1), "Conv2d_0c_7x1")
    branch_2 = b2.conv(net, depth, (1, 1), "Conv2d_0a_1x1")
    branch_2 = b2.conv(branch_2, depth, (7, 1), "Conv2d_0b_7x1")
    branch_2 = b2.conv(branch_2, depth, (1, 7), "Conv2d_0c_1x7")
    branch_2 = b2.conv(branch_2, depth, (7, 1), "Conv2d_0d_7x1")
    branch_2 = b2.conv(branch_2, 192, (1, 7), "Conv2d_0e_1x7")
    branch_3 = b3.conv(average(net), 192, (1, 1), "Conv2d_0b_1x1")
    return tf.concat([branch_0, branch_1, branch_2, branch_3], 3)


def reduction_8(slim: Slim, net: Any) -> Any:
    b0, b1 = slim.within("Branch_0"), slim.within("Branch_1")
    branch_0 = b0.conv(net, 192, (1, 1), "Conv2d_0a_1x1")
    branch_0 = b0.conv(branch_0, 320, (3, 3), "Conv2d_1a_3x3", stride=2, padding="VALID")
    branch_1 = b1.conv(net, 192, (1, 1), "Conv2d_0a_1x1")
    branch_1 = b1.conv(branch_1, 192, (1, 7), "Conv2d_0b_1x7")
    branch_1 = b1.conv(branch_1, 192, (7, 1), "Conv2d_0c_7x1")
    branch_1 = b1.conv(branch_1, 192, (3, 3), "Conv2d_1a_3x3", stride=2, padding="VALID")
    return tf.concat([branch_0, branch_1, pool(net)], 3)


def block_8(slim: Slim, net: Any, upright: str) -> Any:
    b0, b1, b2, b3 = (slim.within(f"Branch_{number}") for number in range(4))
    branch_0 = b0.conv(net, 320, (1, 1), "Conv2d_0a_1x1")
    branch_1 = b1.conv(net, 384, (1, 1), "Conv2d_0a_1x1")
    branch_1 = tf.concat(
        [
            b1.conv(branch_1, 384, (1, 3), "Conv2d_0b_1x3"),
            b1.conv(branch_1, 384, (3, 1), upright),
        ],
        3,
    )
    branch_2 = b2.conv(net, 448, (1, 1), "Conv2d_0a_1x1")
    branch_2 = b2.conv(branch_2, 384, (3, 3), "Conv2d_0b_3x3")
    branch_2 = tf.concat(
        [
            b2.conv(branch_2, 384, (1, 3), "Conv2d_0c_1x3"),
            b2.conv(branch_2, 384, (3, 1), "Conv2d_0d_3x1"),
        ],
        3,
    )
    branch_3 = b3.conv(average(net), 192, (1, 1), "Conv2d_0b_1x1")
    return tf.concat([branch_0, branch_1, branch_2, branch_3], 3)


def made_up(seed: int) -> tuple[GetVariable, Values]:
    """Return a generator of variables, the same for a seed, and the dict that keeps them.

    Their scale preserves the differences between pictures up to the last layer.
    """
    random = np.random.default_rng(seed)
    values: Values = {}

    def variable(name: str, shape: tuple[int, ...]) -> Any:
        kind = name.rpartition("/")[2]
        value = random.standard_normal(shape, np.float32)
        if kind == "weights":
            value *= np.float32(np.sqrt((8 if "Logits" in name else 2) / np.prod(shape[:-1])))
        elif kind == "moving_variance":
            value = np.exp(value / 4)
        else:
            value /= 8
        values[name] = value
        return value

    return variable, values


def save(values: Values, file: Path, *, version: int) -> None:
    """Write a checkpoint in TensorFlow's format 1 (a file) or 2 (``file`` is their prefix)."""
    names, data = list(values), [tf.constant(value) for value in values.values()]
    if version == 1:
        tf.raw_ops.Save(filename=str(file), tensor_names=names, data=data)
    else:
        whole = [""] * len(names)
        tf.raw_ops.SaveV2(
            prefix=str(file), tensor_names=names, shape_and_slices=whole, tensors=data
        )
