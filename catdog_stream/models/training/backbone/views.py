"""Random views of pictures for training (augmentation): cropped, brightened, turned, corrupted.

Random crops and aspect ratios are as in Szegedy et al. ("Going Deeper with Convolutions", 2014,
section 6). Each view depends only on the seed and the number of the step, so that a resumed
training gets the same views as an uninterrupted one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image

from catdog_stream.models.training.corruptions import corrupted

__all__ = ["corrupted_batch", "quarter_turns", "turned", "views"]

_LONGEST_SIDE = 4 / 3
#: Largest relative change of brightness and of contrast.
_LIGHT = 0.2


def views(pictures: Any, size: int, smallest_crop: float, seed: Any) -> Any:
    """Return a random view of each picture.

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


def turned(images: Any, quarters: Any) -> Any:
    """Turn each image, [n, s, s, 3], counter-clockwise by its number of right angles, [n]."""
    across = tf.transpose(images, (0, 2, 1, 3))
    turns = (images, across[:, ::-1], images[:, ::-1, ::-1], across[:, :, ::-1])
    result = images
    for number, turn in enumerate(turns[1:], 1):
        result = tf.where((quarters == number)[:, None, None, None], turn, result)
    return result


def quarter_turns(count: int, share: float, seed: Sequence[int]) -> npt.NDArray[np.int32]:
    """Draw 1 to 3 right angles for a ``share`` of ``count`` pictures, and 0 for the others."""
    random = np.random.default_rng((*seed, 1))
    quarters = random.integers(1, 4, count)
    return np.where(random.random(count) < share, quarters, 0).astype(np.int32)


def corrupted_batch(
    pictures: npt.NDArray[np.uint8], share: float, seed: Sequence[int]
) -> npt.NDArray[np.uint8]:
    """Return ``pictures``, uint8 [n, s, s, 3], with a ``share`` of them corrupted."""
    random = np.random.default_rng((*seed, 2))
    return np.array(
        [
            corrupted(Image.fromarray(picture), random) if random.random() < share else picture
            for picture in pictures
        ],
        np.uint8,
    )
