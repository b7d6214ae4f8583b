"""Tests of the comparison of a log with the log whose offsets were committed."""

import pytest

from catdog_stream.delivery.history import Known, lost
from catdog_stream.delivery.marks import Mark, mark_of


def old(offset: int) -> Mark:
    return mark_of(offset, 1000 + offset, b"old")


def new(offset: int) -> Mark:
    return mark_of(offset, 9000 + offset, b"new")


def known(offset: int, *marks: int) -> Known:
    return Known(offset, [old(number) for number in marks])


@pytest.mark.parametrize(
    ("remembered", "begin", "end", "found", "lost_from"),
    [
        pytest.param(known(30, 29, 16), 0, 40, {29: old(29), 16: old(16)}, None, id="the old one"),
        pytest.param(known(30), 0, 30, {}, None, id="without marks, all answered"),
        pytest.param(known(30), 0, 10, {}, 0, id="shorter than what was answered"),
        pytest.param(known(30), 4, 4, {}, 4, id="nothing is left"),
        pytest.param(known(30, 29, 0), 0, 40, {29: new(29), 0: new(0)}, 0, id="grown beyond"),
        pytest.param(known(30, 29, 0), 0, 40, {29: old(29), 0: new(0)}, 0, id="lost while it ran"),
        pytest.param(
            known(30, 29, 16, 0),
            *(0, 40, {29: new(29), 16: old(16), 0: old(0)}),
            17,
            id="cut off, and grown beyond",
        ),
        pytest.param(
            known(30, 29, 16, 0), 0, 20, {16: old(16), 0: old(0)}, 17, id="cut off in front of it"
        ),
        pytest.param(known(30, 29, 16), 30, 40, {}, None, id="retention has deleted the marks"),
        pytest.param(known(30, 29), 0, 40, {29: None}, None, id="compaction has deleted the mark"),
        pytest.param(known(0, 29), 0, 10, {}, 0, id="set back by hand, and lost"),
        pytest.param(Known(0, (), counted=30), 0, 10, {}, 0, id="set back by hand, no marks"),
    ],
)
def test_from_where_a_log_is_another_one(
    remembered: Known,
    begin: int,
    end: int,
    found: dict[int, Mark | None],
    lost_from: int | None,
) -> None:
    assert lost(remembered, begin, end, found) == lost_from
