"""Inception V3, as Keras builds it."""

from typing import Any


def inception_v3(input_size: int) -> Any:
    """Build the Keras network: 2,048 features, the global average of ``mixed10``.

    Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (2015).
    """
    import keras

    return keras.applications.InceptionV3(
        weights=None, include_top=False, pooling="avg", input_shape=(input_size, input_size, 3)
    )
