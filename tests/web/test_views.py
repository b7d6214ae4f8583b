"""Tests of queries, which may contain anything."""

import pytest

from catdog_stream.web.views import seconds


@pytest.mark.parametrize(
    ("text", "number"), [("17", 17), ("", 0), ("-1", 0), ("x", 0), ("1.5", 0), ("9" * 5000, 0)]
)
def test_a_time_in_seconds(text: str, number: int) -> None:
    assert seconds(text) == number
