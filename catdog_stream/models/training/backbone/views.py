"""What a network in training sees of a picture: a random part of it, in a random light.

Random crops and aspect ratios as of Szegedy et al. ("Going Deeper with Convolutions", 2014, section
6). Each view depends on the seed and the number of the step alone, so that a training that was
stopped goes on as if it had not been.
"""

from typing import Any

import tensorflow as tf

__all__ = ["views"]

_LONGEST_SIDE = 4 / 3
#: Of light, contrast and saturation: so much more or less.
_LIGHT = 0.2


def views(pictures: Any, size: int, smallest_crop: float, seed: Any) -> Any:
    """A view of each picture.

    Args:
        pictures: uint8 [n, s, s, 3].
        size: width and height of the views.
        smallest_crop: smallest share of a picture's area in a view.
        seed: int32 [2].

    Returns:
        float32 [n, size, size, 3], 0 to 255.
    """
    count = tf.shape(pictures)[0]
    seeds = tf.random.split(seed, 7)

    def random(number: int, low: float, high: float) -> Any:
        return tf.random.stateless_uniform((count,), seeds[number], low, high)

    area = random(0, smallest_crop, 1.0)
    aspect = tf.exp(random(1, -tf.math.log(_LONGEST_SIDE), tf.math.log(_LONGEST_SIDE)))
    height = tf.minimum(tf.sqrt(area / aspect), 1.0)
    width = tf.minimum(tf.sqrt(area * aspect), 1.0)
    top, left = random(2, 0.0, 1.0) * (1 - height), random(3, 0.0, 1.0) * (1 - width)
    mirrored = random(4, 0.0, 1.0) < 0.5
    first, last = tf.where(mirrored, left + width, left), tf.where(mirrored, left, left + width)
    boxes = tf.stack([top, first, top + height, last], axis=1)
    cut = tf.image.crop_and_resize(
        tf.cast(pictures, tf.float32), boxes, tf.range(count), (size, size)
    )
    light = random(5, 1 - _LIGHT, 1 + _LIGHT)[:, None, None, None]
    contrast = random(6, 1 - _LIGHT, 1 + _LIGHT)[:, None, None, None]
    mean = tf.reduce_mean(cut, axis=(1, 2, 3), keepdims=True)
    return tf.clip_by_value(((cut - mean) * contrast + mean) * light, 0.0, 255.0)
