"""Tests of a training's views: the planned shares of them are rotated and corrupted."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from catdog_stream.models.training.backbone.views import corrupted_batch, quarter_turns, turned

PICTURES = np.random.default_rng(0).integers(0, 255, (40, 16, 16, 3)).astype(np.uint8)


def test_each_picture_is_turned_by_its_own_angle() -> None:
    quarters = np.arange(8) % 4
    result = turned(PICTURES[:8], quarters).numpy()
    for picture, turn, quarter in zip(PICTURES, result, quarters, strict=False):
        np.testing.assert_array_equal(turn, np.rot90(picture, int(quarter)))


def test_the_share_of_turned_pictures_is_as_planned() -> None:
    quarters = quarter_turns(3000, 0.6, (0, 1))
    shares = np.bincount(quarters) / 3000
    assert shares == pytest.approx([0.4, 0.2, 0.2, 0.2], abs=0.03)
    np.testing.assert_array_equal(quarters, quarter_turns(3000, 0.6, (0, 1)))


def test_the_share_of_corrupted_pictures_is_as_planned_and_the_rest_stay() -> None:
    seen = corrupted_batch(PICTURES, 0.5, (0, 1))
    changed = (seen != PICTURES).any(axis=(1, 2, 3))
    assert 8 < changed.sum() < 32
    np.testing.assert_array_equal(seen, corrupted_batch(PICTURES, 0.5, (0, 1)))
    assert (seen != corrupted_batch(PICTURES, 0.5, (0, 2))).any()
    np.testing.assert_array_equal(corrupted_batch(PICTURES, 0.0, (0, 1)), PICTURES)
