"""The architectures that a backbone may have, as TensorFlow builds them: one file each.

Nothing here imports TensorFlow before a network is built: a stack's manifest names its network, and
LiteRT's file has the whole of it.
"""

from collections.abc import Callable
from typing import Any, Literal

from catdog_stream.models.engines.networks.inception_v3 import inception_v3

__all__ = ["NetworkName", "build_network"]

NetworkName = Literal["inception_v3"]

_BUILDERS: dict[NetworkName, Callable[[int], Any]] = {"inception_v3": inception_v3}


def build_network(name: NetworkName, input_size: int, dtype: str = "float32") -> Any:
    """A Keras network of the given float type without its top, its weights yet to be loaded.

    It takes float [n, input_size, input_size, 3] and gives float [n, features].
    """
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        return _BUILDERS[name](input_size)
    finally:
        keras.config.set_dtype_policy(before)
