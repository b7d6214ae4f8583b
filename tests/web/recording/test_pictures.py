"""Tests of the latest pictures, small, in bounded memory."""

import io
from base64 import b64encode
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image

from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.web.recording.pictures import KEPT, Latest, Shot
from tests.support.pictures import colored, noise
from tests.support.requests import PARSER

RED = np.zeros((299, 299, 3), np.uint8) + np.array([250, 0, 0], np.uint8)


def shot(latest: Latest) -> Shot:
    return Shot(latest.next_id(), 0.0, "cat", 0.9, "pets 2", "", "catdogimage/0/0")


def rendered(prepared: object, value: bytes | None = None) -> bytes:
    latest = Latest(PictureLimits(), PARSER)
    latest.keep(shot(latest), prepared, None if value is None else incoming(value))
    (thumbnail,) = latest.renderers().values()
    return thumbnail.render()


def incoming(value: bytes) -> Incoming:
    return Incoming(Source("catdogimage", 0, 0), None, value, (), None)


def request(picture: bytes) -> bytes:
    return orjson.dumps({"url": "a", "data": b64encode(picture).decode()})


def test_a_thumbnail_is_what_the_network_saw() -> None:
    picture = Image.open(io.BytesIO(rendered(RED)))
    assert picture.format == "JPEG"
    assert picture.size == (176, 176)
    red, green, blue = picture.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert red > 240
    assert max(green, blue) < 12


def test_of_what_several_stacks_prepared_the_first_is_shown() -> None:
    assert rendered((RED, RED[:100])) == rendered(RED)


NO_IMAGES = [None, b"", (), 7, RED.astype(np.float32), RED[0], RED.transpose(2, 0, 1)]


@pytest.mark.parametrize("prepared", NO_IMAGES)
def test_what_is_no_picture_has_none(prepared: Any) -> None:
    assert rendered(prepared) == b""


@pytest.mark.parametrize("prepared", NO_IMAGES)
def test_what_is_no_picture_is_shown_as_in_its_request(prepared: Any) -> None:
    picture = Image.open(io.BytesIO(rendered(prepared, request(colored("red", side=500)))))
    assert picture.size == (176, 176)
    red, green, _ = picture.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert red > 240 > 12 > green


@pytest.mark.parametrize(
    "value", [b"{}", request(b"no picture"), request(colored("red", side=501))]
)
def test_a_request_without_a_picture_that_can_be_read_has_none(value: bytes) -> None:
    latest = Latest(PictureLimits(max_pixels=500 * 500), PARSER)
    latest.keep(shot(latest), 7, incoming(value))
    assert [each.render() for each in latest.renderers().values()] == [b""]


def test_few_large_requests_are_kept() -> None:
    latest = Latest(PictureLimits(), PARSER)
    large = request(noise(4 * 1024 * 1024))
    for _ in range(KEPT):
        latest.keep(shot(latest), 7, incoming(large))
    thumbnails = latest.renderers().values()
    assert [bool(each.request_bytes) for each in thumbnails] == [n < 2 for n in range(KEPT)]
    assert [bool(each.render()) for each in thumbnails] == [n < 2 for n in range(KEPT)]


def test_few_requests_with_large_keys_and_headers_are_kept() -> None:
    latest = Latest(PictureLimits(), PARSER)
    half = b"k" * (3 * 1024 * 1024)
    for _ in range(KEPT):
        large = replace(incoming(b"{}"), key=half, headers=(("h", half),))
        latest.keep(shot(latest), 7, large)
    kept = [bool(each.request_bytes) for each in latest.renderers().values()]
    assert kept == [n < 2 for n in range(KEPT)]


def test_the_oldest_goes() -> None:
    latest = Latest(PictureLimits(), PARSER)
    for _ in range(3 * KEPT):
        latest.keep(shot(latest), RED)
    shots = latest.shots()
    assert len(shots) == KEPT
    assert list(latest.renderers())[:KEPT] == [each.id for each in shots]
    assert len(latest.renderers()) == 2 * KEPT
    assert shots[0].id.endswith(f"-{3 * KEPT}")


def test_a_thumbnail_is_rendered_once() -> None:
    latest = Latest(PictureLimits(), PARSER)
    latest.keep(shot(latest), RED)
    (thumbnail,) = latest.renderers().values()
    assert thumbnail.render() is thumbnail.render()
