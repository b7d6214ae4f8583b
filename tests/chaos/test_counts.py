"""Tests of the counts with which a run compares those of its workers."""

from typing import Any

import pytest

from tests.chaos.counts import NOTHING, true_counts

#: Two requests with a label, of which the second has a rejection beside it, and one rejected alone.
VERDICTS = {"a": {"cat"}, "b": {"cat"}}
REASONS = {"b": {"stopped_workers"}, "c": {"stopped_workers"}}


def shown(cats: int, rejected: int) -> dict[str, Any]:
    """Return the counts that a worker shows."""
    return {"total": cats, "rejected": rejected, "labels": {"cat": cats}}


@pytest.mark.parametrize("committed", [shown(2, 1), shown(1, 2)])
def test_of_a_label_and_a_rejection_either_may_be_the_committed_answer(
    committed: dict[str, Any],
) -> None:
    assert true_counts(VERDICTS, REASONS, committed) == committed


@pytest.mark.parametrize("wrong", [shown(2, 2), shown(1, 1), shown(3, 0), shown(0, 3), NOTHING])
def test_a_request_that_is_counted_twice_or_lost_is_found(wrong: dict[str, Any]) -> None:
    assert true_counts(VERDICTS, REASONS, wrong) != wrong
