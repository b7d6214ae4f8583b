"""The architectures that a backbone may have, as TensorFlow builds them.

Nothing here imports TensorFlow before a network is built: a stack's manifest names its network, and
LiteRT's file has the whole of it.
"""

from typing import Any, Literal

__all__ = ["NetworkName", "build_network"]

NetworkName = Literal["inception_v3"]


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


def _inception_v3(input_size: int) -> Any:
    """Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (2015).

    As Keras builds it; 2,048 features, the global average of ``mixed10``.
    """
    import keras

    return keras.applications.InceptionV3(
        weights=None, include_top=False, pooling="avg", input_shape=(input_size, input_size, 3)
    )


_BUILDERS = {"inception_v3": _inception_v3}
