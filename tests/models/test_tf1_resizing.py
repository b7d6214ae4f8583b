"""Tests of cropping and resizing as in TensorFlow 1: against TensorFlow, and by hand."""

import io

import numpy as np
import pytest
from PIL import Image

from catdog_stream.models.pictures import PictureLimits, decode
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.tf1_resizing import tf1_bilinear
from tests.models.derived import derived_pictures

WANTED = Preprocessing(299, resize="tf1_bilinear", crop=0.875)


def test_four_pixels_of_two_are_the_old_ones_and_those_between() -> None:
    row = Image.fromarray(np.array([[[0] * 3, [100] * 3]] * 2, np.uint8))
    # Positions 0, 0.5, 1, 1.5 between pixels 0 and 1; beyond the last pixel its value is repeated.
    found = np.asarray(tf1_bilinear(row, 4, 1.0))[:, :, 0]
    np.testing.assert_array_equal(found, [[0, 50, 100, 100]] * 4)


def test_a_picture_made_smaller_is_sampled_and_not_averaged() -> None:
    stripes = Image.fromarray(np.array([[[0] * 3, [200] * 3] * 4] * 8, np.uint8))
    assert np.asarray(tf1_bilinear(stripes, 4, 1.0)).max() == 0


def test_whole_pixels_are_cut_off() -> None:
    # A share of 0.8 of 10 pixels: one is cut off at each end. Of 9, none is: int(0.9) is 0.
    for side, first in ((10, 1), (9, 0)):
        ramp = np.repeat(np.arange(side, dtype=np.uint8)[np.newaxis, :, np.newaxis], side, axis=0)
        image = Image.fromarray(np.repeat(ramp, 3, axis=2))
        kept = np.asarray(tf1_bilinear(image, side - 2 * first, 0.8))[0, :, 0]
        assert kept.tolist() == list(range(first, side - first))


def test_what_is_invisible_gives_no_colour() -> None:
    picture = np.zeros((8, 8, 4), np.uint8)
    picture[:, :4] = (200, 0, 0, 255)
    picture[:, 4:] = (0, 255, 0, 0)  # green, fully transparent
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    found = decode(buffer.getvalue(), Preprocessing(16, resize="tf1_bilinear"), PictureLimits())
    assert found[0, 0].tolist() == [200, 0, 0]
    assert found[0, -1].tolist() == [255, 255, 255]
    assert np.all(found[:, :, 1] == found[:, :, 2])


@pytest.mark.slow
def test_tensorflow_says_the_same_of_pictures_of_any_size() -> None:
    tf = pytest.importorskip("tensorflow")
    random = np.random.default_rng(2016)
    for picture in derived_pictures(6):
        size = tuple(random.integers(40, 900, 2).tolist())
        image = Image.fromarray(picture).resize(size)
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        cropped = tf.image.central_crop(np.asarray(image, np.float32), WANTED.crop)
        expected = tf.compat.v1.image.resize_bilinear(cropped[np.newaxis], [299, 299])[0].numpy()
        found = decode(buffer.getvalue(), WANTED, PictureLimits())
        assert np.abs(found - expected).max() < 0.5001
