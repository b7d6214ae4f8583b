"""Tests of the way from a typed address to the small picture."""

import asyncio
import io
import time
from collections.abc import Callable

import pytest
from PIL import Image
from yarl import URL

from catdog_stream.errors import FetchError
from catdog_stream.fetching import by_address
from catdog_stream.fetching.by_address import PicturesByAddress
from catdog_stream.fetching.rules import Rules
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.settings import Settings
from tests.fetching.serving import PNG, Handler, allowing, answering, leading_to, png, serving


def pictured(
    handler: Handler, *, typed: Callable[[URL], str] = str, limits: PictureLimits | None = None
) -> bytes | str:
    async def scenario() -> bytes | str:
        async with serving({"/": handler, "/led": leading_to("/")}) as url:
            pictures = PicturesByAddress(allowing(url), limits)
            try:
                return await pictures.picture_at(typed(url))
            except FetchError as error:
                return error.message
            finally:
                await pictures.close()

    return asyncio.run(scenario())


def test_nothing_is_fetched_unless_a_setting_says_so() -> None:
    async def scenario() -> None:
        settings = Settings()
        pictures = PicturesByAddress(Rules(settings.web_fetch, settings.web_fetch_allow))
        with pytest.raises(FetchError, match=r"^Pictures are not fetched by address here\.$"):
            await pictures.picture_at("https://example.org/")
        await pictures.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("typed", ["{}", " {} ", "catdog:{}", "catdog: {}led"])
def test_a_large_picture_comes_small(typed: str) -> None:
    data = pictured(answering(png((1000, 500))), typed=lambda url: typed.format(url))
    assert isinstance(data, bytes)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("PNG", (299, 150))


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        (answering(b"hello", "image/png"), "What the address gave is not a picture."),
        (answering(b"hello", "text/plain"), "The address gave text/plain, not a picture."),
        (answering(PNG[:50]), "The PNG picture is damaged: image file is truncated."),
        (answering(PNG, status=403), "The address gave status 403 (Forbidden), and no picture."),
    ],
)
def test_what_is_no_picture_has_its_sentence(handler: Handler, sentence: str) -> None:
    said = pictured(handler)
    assert isinstance(said, str)
    assert said.startswith(sentence.removesuffix("."))


def test_the_limit_to_pixels_is_the_streams() -> None:
    said = pictured(answering(PNG), limits=PictureLimits(max_pixels=11))
    assert said == "The picture has 4 x 3 pixels, 11 are allowed."


def test_what_takes_too_long_to_decode_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = time.monotonic() + 0.5

    def slow(_data: bytes, _limits: PictureLimits) -> bytes:
        while time.monotonic() < over:
            pass
        return b""

    monkeypatch.setattr(by_address, "DECODE_SECONDS", 0.05)
    monkeypatch.setattr(by_address, "small_png", slow)
    assert pictured(answering(PNG)) == "The picture takes too long to decode."


def test_it_is_made_before_a_loop_runs_and_closed_without_having_been_used() -> None:
    pictures = PicturesByAddress(Rules("on"))
    asyncio.run(pictures.close())
