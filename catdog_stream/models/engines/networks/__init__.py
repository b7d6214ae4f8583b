"""The architectures that a backbone may have, as TensorFlow builds them: one file each.

Nothing here imports TensorFlow before a network is built: a stack's manifest names its network, and
LiteRT's file has the whole of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from catdog_stream.models.engines.networks.efficientnet_lite import efficientnet_lite2
from catdog_stream.models.engines.networks.inception_v3 import inception_v3
from catdog_stream.models.preprocessing import Preprocessing

__all__ = ["NETWORKS", "Network", "NetworkName", "build_network"]

NetworkName = Literal["inception_v3", "efficientnet_lite2"]


@dataclass(frozen=True, slots=True)
class Network:
    """An architecture: what it is used to, and what it gives."""

    builder: Callable[[int], Any]
    """Its Keras network for pictures of a size."""
    preprocessing: Preprocessing
    """What its published weights were trained with; a stack may do otherwise."""
    features: int
    """Numbers that it gives for a picture."""


NETWORKS: dict[NetworkName, Network] = {
    "inception_v3": Network(inception_v3, Preprocessing(299), 2048),
    "efficientnet_lite2": Network(
        efficientnet_lite2,
        # (value - 127) / 128
        Preprocessing(260, resize="bicubic", range=(-127 / 128, 1.0)),
        1280,
    ),
}


def build_network(name: NetworkName, input_size: int, dtype: str = "float32") -> Any:
    """A Keras network of the given float type without its top, its weights yet to be loaded.

    It takes float [n, input_size, input_size, 3] and gives float [n, features].
    """
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        return NETWORKS[name].builder(input_size)
    finally:
        keras.config.set_dtype_policy(before)
