"""Inception V3 with its classifier, as TF-Slim's ``inception_v3_2016_08_28`` has it.

Keras builds the same layers as Slim: convolutions without a bias, each with a batch normalisation
without a scale (epsilon 0.001) and a ReLU; averages that leave the border out; and at the top the
mean of all places, where Slim pools 8 x 8 of them: at 299 pixels these are all. Slim's last layer,
a 1 x 1 convolution of one place, is Keras' dense layer.
"""

from typing import Any

#: ImageNet's, after one for the background.
CLASSES = 1001


def inception_v3_slim(input_size: int) -> Any:
    """1,001 features: the chance of each of ImageNet's classes, class 0 being the background."""
    import keras

    return keras.applications.InceptionV3(
        weights=None, include_top=True, classes=CLASSES, input_shape=(input_size, input_size, 3)
    )
