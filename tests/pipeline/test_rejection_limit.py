"""Tests of a worker that rejects too much: it stops before it has drained the topic."""

import pytest

from catdog_stream.errors import TooManyRejectedError
from catdog_stream.pipeline.rejection_limit import RejectionLimit


def test_so_many_in_a_row_are_all_right_and_one_more_is_not() -> None:
    limit = RejectionLimit(in_a_row=3, share=1.0, window=10)
    for rejected in (True, True, True, False, True, True, True):
        limit.observe(rejected=rejected)
    with pytest.raises(TooManyRejectedError, match="More than 3 requests in a row"):
        limit.observe(rejected=True)


def test_the_share_counts_the_last_answers_only() -> None:
    limit = RejectionLimit(in_a_row=100, share=0.5, window=10)
    for _ in range(50):
        limit.observe(rejected=False)
        limit.observe(rejected=True)
    with pytest.raises(TooManyRejectedError, match="6 of the last 10"):
        limit.observe(rejected=True)


def test_the_share_is_not_looked_at_before_there_are_enough_answers() -> None:
    limit = RejectionLimit(in_a_row=100, share=0.1, window=10)
    for _ in range(9):
        limit.observe(rejected=True)
    with pytest.raises(TooManyRejectedError, match="10 of the last 10"):
        limit.observe(rejected=True)


def test_a_share_of_one_never_stops_anything() -> None:
    limit = RejectionLimit(in_a_row=10_000, share=1.0, window=10)
    for _ in range(5_000):
        limit.observe(rejected=True)


def test_a_topic_that_refuses_label_after_label_ends_it() -> None:
    limit = RejectionLimit(in_a_row=2, share=1.0, window=10)
    for refused in (True, True, False, True, True):
        limit.observe(rejected=False)
        limit.observe_label(refused=refused)
    with pytest.raises(TooManyRejectedError, match="refused by their topic"):
        limit.observe_label(refused=True)
