"""Tests that corruptions do what their names say."""

import numpy as np
import pytest
from PIL import Image

from catdog_stream.models.training.corruptions import CORRUPTIONS, corrupted

PIXELS = np.random.default_rng(0).integers(0, 255, (60, 90, 3)).astype(np.uint8)
IMAGE = Image.fromarray(PIXELS).resize((200, 150), Image.Resampling.BICUBIC)


def changed(name: str) -> Image.Image:
    kind = CORRUPTIONS[name]
    return kind.apply(IMAGE, kind.usual, np.random.default_rng(1))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_it_changes_the_picture_the_same_way_each_time(name: str) -> None:
    before, first = IMAGE.tobytes(), changed(name)
    assert (first.mode, first.size) != (IMAGE.mode, IMAGE.size) or first.tobytes() != before
    assert first.mode == "RGB"
    assert first.tobytes() == changed(name).tobytes()
    assert IMAGE.tobytes() == before


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_amount_to_measure_with_is_one_to_train_with(name: str) -> None:
    kind = CORRUPTIONS[name]
    assert kind.low <= kind.usual <= kind.high


def test_light_detail_and_colour() -> None:
    values = {name: np.asarray(changed(name), float) for name in CORRUPTIONS}
    plain = np.asarray(IMAGE, float)
    assert values["dark"].mean() == pytest.approx(0.3 * plain.mean(), rel=0.02)
    assert values["bright"].mean() > plain.mean()
    assert values["blurred"].std() < plain.std() < values["noisy"].std()
    assert np.ptp(values["grey"], axis=2).max() == 0


def test_sizes() -> None:
    assert changed("64 px").size == (64, 48)
    assert changed("cut at the edge").size in ((120, 150), (200, 90))
    small = np.asarray(changed("quarter of the size"))
    ground = small[0, 0] if (small[0, 0] == small[0, -1]).all() else small[-1, -1]
    assert (small != ground).any(axis=2).sum() <= 50 * 38


def test_a_picture_of_one_pixel_can_be_corrupted() -> None:
    for kind in CORRUPTIONS.values():
        kind.apply(Image.new("RGB", (1, 1)), kind.usual, np.random.default_rng(0))


def test_a_random_corruption_keeps_the_size() -> None:
    random = np.random.default_rng(0)
    results = [corrupted(IMAGE, random) for _ in range(40)]
    assert {image.size for image in results} == {IMAGE.size}
    assert len({image.tobytes() for image in results}) > len(CORRUPTIONS)
