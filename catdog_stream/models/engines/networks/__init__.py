"""Architectures of backbones, which TensorFlow builds: one module each.

TensorFlow is imported only when a network is built. LiteRT does not need it: the LiteRT file
contains the whole network, and every manifest names its network.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from catdog_stream.models.engines.networks.efficientnet_lite import efficientnet_lite2
from catdog_stream.models.engines.networks.inception_v3 import inception_v3
from catdog_stream.models.engines.networks.inception_v3_slim import CLASSES, inception_v3_slim
from catdog_stream.models.preprocessing import Preprocessing

__all__ = ["NETWORKS", "Network", "NetworkName", "build_network"]

NetworkName = Literal["inception_v3", "inception_v3_slim", "efficientnet_lite2"]


@dataclass(frozen=True, slots=True)
class Network:
    """An architecture, with its standard input format and its number of features."""

    builder: Callable[[int], Any]
    """Function from the size of the pictures, in pixels, to the Keras network."""
    preprocessing: Preprocessing
    """Input format of the published weights; a stack may use another one."""
    features: int
    """Number of features for a picture."""


NETWORKS: dict[NetworkName, Network] = {
    "inception_v3": Network(inception_v3, Preprocessing(299), 2048),
    "inception_v3_slim": Network(
        inception_v3_slim, Preprocessing(299, resize="tf1_bilinear", crop=0.875), CLASSES
    ),
    "efficientnet_lite2": Network(
        efficientnet_lite2,
        # (value - 127) / 128
        Preprocessing(260, resize="bicubic", range=(-127 / 128, 1.0)),
        1280,
    ),
}


def build_network(name: NetworkName, input_size: int, dtype: str = "float32") -> Any:
    """Return a Keras network of the given float type, with random weights.

    Its input is float [n, input_size, input_size, 3], its output float [n, features].
    """
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        return NETWORKS[name].builder(input_size)
    finally:
        keras.config.set_dtype_policy(before)
