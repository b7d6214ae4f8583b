"""Inception V3 with its classifier, as in TF-Slim's ``inception_v3_2016_08_28``.

Keras builds the same layers as Slim: convolutions without a bias, each with a batch normalization
without a scale (epsilon 0.001) and a ReLU, and average pooling that excludes the padding. At the
top Keras takes the mean of all positions, where Slim pools 8 x 8 positions, which are all positions
at 299 pixels. Slim's last layer, a 1 x 1 convolution of one position, is a dense layer in Keras.
"""

from typing import Any

#: Class 0 is the background; the others are ImageNet's classes.
CLASSES = 1001


def inception_v3_slim(input_size: int) -> Any:
    """Build the Keras network: 1,001 features, the probabilities of the background and ImageNet."""
    import keras

    return keras.applications.InceptionV3(
        weights=None, include_top=True, classes=CLASSES, input_shape=(input_size, input_size, 3)
    )
