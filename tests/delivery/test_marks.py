"""Tests of the records by which a log is recognized."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.delivery.marks import DISTANCES, Mark, is_mark, mark_of, remembered


def test_a_record_is_recognized_by_its_place_its_time_and_its_value() -> None:
    mark = mark_of(7, 1_700_000_000.123, b"value")
    assert mark == mark_of(7, 1_700_000_000.123, b"value")
    assert is_mark(mark)
    for other in (
        mark_of(8, 1_700_000_000.123, b"value"),
        mark_of(7, 1_700_000_000.124, b"value"),
        mark_of(7, 1_700_000_000.123, b"valuf"),
        mark_of(7, 1_700_000_000.123, b"v" * 5000 + b"value"),
        mark_of(7, None, b"value"),
    ):
        assert other != mark


@pytest.mark.parametrize("time_ms", [2**63 - 1, 2**63 - 1000, -(2**63), 2**53 + 1, -1, 0])
def test_a_time_that_a_client_has_made_up_is_recognized(time_ms: int) -> None:
    mark = mark_of(7, time_ms / 1000, b"")
    assert mark == mark_of(7, time_ms / 1000, b"")
    assert orjson.loads(orjson.dumps(mark)) == mark


def test_a_record_without_a_value_and_a_time_has_a_mark() -> None:
    assert is_mark(mark_of(0, None, None))


@given(st.integers(1, 400), st.integers(0, 100_000))
def test_the_newest_is_kept_and_older_ones_at_growing_distances(count: int, first: int) -> None:
    marks: list[Mark] = []
    for offset in range(first, first + count):
        marks = remembered(marks, mark_of(offset, offset, b""))
    offsets = [mark[0] for mark in marks]
    last = first + count - 1
    assert offsets[0] == last
    assert offsets == sorted(offsets, reverse=True)
    for offset, distance in zip(offsets, DISTANCES, strict=True):
        assert offset == max(first, last - last % distance)


def test_what_other_programs_write_is_no_mark() -> None:
    for value in (None, 1, [], [1, 2], [1, 2, "3"], [-1, 2, 3], [1, 2, 3, 4], [True, 1, 2], "abc"):
        assert not is_mark(value)
