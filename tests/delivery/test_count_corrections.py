"""Tests of corrections of counts while counting continues."""

import pytest

from catdog_stream.delivery.count_corrections import corrected, correction, from_mail, to_mail
from catdog_stream.delivery.counting import (
    MAX_NAMES,
    OTHER,
    Shard,
    counted,
    from_metadata,
    to_metadata,
)


def shard(offset: int, cat: int = 0, timeout: int = 0) -> Shard:
    return {"labels": {"cat": cat}, "rejections": {"timeout": timeout}, "offset": offset}


def test_what_is_counted_after_the_recount_is_kept() -> None:
    by = correction(shard(10, cat=3), shard(9, cat=7, timeout=2), number=5)
    later = counted(shard(10, cat=3), "labels", "dog", 10)
    assert by is not None
    assert later is not None
    assert corrected(later, by) == {
        "labels": {"cat": 7, "dog": 1},
        "rejections": {"timeout": 2},
        "offset": 11,
        "recount": 5,
    }


def test_a_correction_is_added_once() -> None:
    by = correction(shard(10, cat=3), shard(10, cat=7), number=5)
    assert by is not None
    once = corrected(shard(10, cat=3), by)
    assert once is not None
    assert corrected(once, by) is None


def test_a_correction_of_counts_that_were_corrected_since_is_not_added() -> None:
    first = correction(shard(10, cat=3), shard(10, cat=7), number=5)
    second = correction(shard(10, cat=3), shard(10, cat=7), number=6)
    assert first is not None
    assert second is not None
    once = corrected(shard(10, cat=3), second)
    assert once is not None
    assert corrected(once, first) is None


def test_nothing_is_said_where_nothing_differs() -> None:
    assert correction(shard(10, cat=3), {**shard(4, cat=3), "rejections": {}}, number=5) is None


def test_a_name_that_was_never_answered_goes() -> None:
    by = correction(shard(10, cat=3), {**shard(10), "labels": {"dog": 3}}, number=5)
    assert by is not None
    result = corrected(shard(10, cat=3), by)
    assert result is not None
    assert result["labels"] == {"dog": 3}


def test_the_names_stay_bounded() -> None:
    many = {str(number): 1 for number in range(MAX_NAMES)}
    by = correction(shard(10), {**shard(10), "labels": many}, number=5)
    assert by is not None
    full: Shard = {**shard(10), "labels": {f"x{number}": 1 for number in range(MAX_NAMES)}}
    result = corrected(full, by)
    assert result is not None
    assert len(result["labels"]) == MAX_NAMES + 1, "and OTHER"
    assert sum(result["labels"].values()) == 2 * MAX_NAMES
    assert OTHER in result["labels"]


def test_corrections_and_their_number_survive_the_journey() -> None:
    by = correction(shard(10, cat=3), shard(10, cat=7), number=5)
    assert by is not None
    assert from_mail(to_mail(by)) == by
    result = corrected(shard(10, cat=3), by)
    assert result is not None
    assert from_metadata(to_metadata(result) or "") == result


def test_what_somebody_else_has_written_is_no_correction() -> None:
    for text in ("", "null", "[]", '{"recount": 1}', '{"recount": {}, "base": 0}'):
        assert from_mail(text) is None


def test_the_log_names_field_value_and_what_is_expected(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        assert from_mail('{"recount": 1, "base": 0, "labels": {"cat": "7"}}') is None
    assert caplog.messages == [
        "The text is no correction of counts: labels[...] must be a whole number, not {'cat': '7'}."
    ]
