"""Tests of the latest pictures, small, in bounded memory."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from catdog_stream.web.recording.pictures import KEPT, Latest, Shot, thumbnail

RED = np.zeros((299, 299, 3), np.uint8) + np.array([250, 0, 0], np.uint8)


def shot(latest: Latest) -> Shot:
    return Shot(latest.next_id(), 0.0, "cat", 0.9, "pets 2", "", "catdogimage/0/0")


def test_a_thumbnail_is_what_the_network_saw() -> None:
    picture = Image.open(io.BytesIO(thumbnail(RED)))
    assert picture.format == "JPEG"
    assert picture.size == (176, 176)
    red, green, blue = picture.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert red > 240
    assert max(green, blue) < 12


def test_of_what_several_stacks_prepared_the_first_is_shown() -> None:
    assert thumbnail((RED, RED[:100])) == thumbnail(RED)


@pytest.mark.parametrize("prepared", [None, b"", (), 7, RED.astype(np.float32), RED[0]])
def test_what_is_no_picture_has_none(prepared: Any) -> None:
    assert thumbnail(prepared) == b""


def test_the_oldest_goes() -> None:
    latest = Latest()
    for _ in range(3 * KEPT):
        latest.keep(shot(latest), RED)
    shots = latest.shots()
    assert len(shots) == KEPT
    assert list(latest.renderers())[:KEPT] == [each.id for each in shots]
    assert len(latest.renderers()) == 2 * KEPT
    assert shots[0].id.endswith(f"-{3 * KEPT}")


def test_a_thumbnail_is_rendered_once() -> None:
    latest = Latest()
    latest.keep(shot(latest), RED)
    (thumbnail,) = latest.renderers().values()
    assert thumbnail.render() is thumbnail.render()
