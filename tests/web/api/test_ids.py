"""Tests of image ids, which contain the place of the request."""

import pytest

from catdog_stream.messages.wire import Source
from catdog_stream.web.api.ids import image_id, source_of
from catdog_stream.web.api.problems import Problem
from tests.support.names import REQUESTS


@pytest.mark.parametrize("text", ["0-0", "3-17", "999999999-999999999999999999"])
def test_there_and_back(text: str) -> None:
    assert image_id(source_of(text, REQUESTS)) == text
    assert source_of("3-17", REQUESTS) == Source("catdogimage", 3, 17)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "3-",
        "-3",
        "3-17-1",
        "03-17",
        "3-017",
        "a-b",
        "3_17",
        "3-17\n",
        "\u0663-\u0661",
        "1" * 10 + "-1",
    ],
)
def test_an_image_has_one_id_and_nothing_else_is_one(text: str) -> None:
    with pytest.raises(Problem) as told:
        source_of(text, REQUESTS)
    assert told.value.status == 400
