"""Tests of the time that a client is ready to wait."""

import pytest

from catdog_stream.web.api.prefer_header import preferred_wait


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], 0),
        (["wait=5"], 5),
        (["Wait = 5"], 5),
        (['wait="7"'], 7),
        (["respond-async, wait=3"], 3),
        (["respond-async", "wait=3"], 3),
        (["wait=3; of=that"], 3),
        (["wait=3, wait=9"], 3),
        (["wait=31"], 30),
        (["wait=999999999"], 30),
        (["wait=0"], 0),
        (["wait"], 0),
        (["wait=soon"], 0),
        (["wait=-1"], 0),
        (["wait=1.5"], 0),
        (["wait=9999999999"], 0),
        (["await=5"], 0),
    ],
)
def test_what_cannot_be_read_is_no_preference(headers: list[str], seconds: int) -> None:
    assert preferred_wait(headers) == seconds
