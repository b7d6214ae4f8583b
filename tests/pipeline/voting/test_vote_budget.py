"""Tests of the memory budget of waiting votes; a shortage is logged once."""

import pytest

from catdog_stream.messages.wire import Source
from catdog_stream.pipeline.voting.vote_budget import VoteBudget, cost

MEGABYTE = 1 << 20


def budget() -> VoteBudget:
    return VoteBudget(most=1 * MEGABYTE, most_at_gap=4 * MEGABYTE)


def request(offset: int, partition: int = 0) -> Source:
    return Source("catdogimage", partition, offset)


class TestHowMuchMayWait:
    def test_no_more_than_it_may_take(self) -> None:
        it = budget()
        assert not it.is_full(MEGABYTE)
        assert it.is_full(MEGABYTE + 1)

    def test_more_while_any_partition_has_a_gap(self) -> None:
        it = budget()
        it.begin_gap(request(3, partition=0))
        it.begin_gap(request(5, partition=1))
        it.end_gap(0)
        assert not it.is_full(4 * MEGABYTE)
        assert it.is_full(4 * MEGABYTE + 1)
        it.end_gap(1)
        assert it.is_full(2 * MEGABYTE)

    def test_no_more_once_the_gaps_are_forgotten(self) -> None:
        it = budget()
        it.begin_gap(request(3))
        it.forget_gaps()
        assert it.is_full(2 * MEGABYTE)
        assert it.problems(2 * MEGABYTE) == []

    def test_a_partition_without_a_gap_may_be_said_to_have_none(self) -> None:
        it = budget()
        it.end_gap(0)
        assert it.problems(0) == []


class TestWhatTheProblemsAre:
    def test_none_where_there_is_no_gap_however_full_it_is(self) -> None:
        assert budget().problems(9 * MEGABYTE) == []

    def test_the_last_gap_of_each_partition(self) -> None:
        it = budget()
        for gap in (request(3), request(5), request(7, partition=1)):
            it.begin_gap(gap)
        assert it.problems(0) == [
            f"Nobody has voted on the request catdogimage/{place}: "
            "those behind it wait for a vote on it."
            for place in ("0/5", "1/7")
        ]

    def test_that_no_more_is_read_where_they_fill_it(self) -> None:
        it = budget()
        it.begin_gap(request(3))
        assert it.problems(5 * MEGABYTE)[1:] == [
            "No more votes are read: 4 MB wait for one that ends a gap. "
            "docs/voting.md says what to do."
        ]


class TestWhatTheLogSays:
    def test_each_gap_once(self, caplog: pytest.LogCaptureFixture) -> None:
        it = budget()
        for offset in (3, 3, 3, 5, 5):
            it.begin_gap(request(offset))
        assert [record.__dict__["source"] for record in caplog.records] == [
            "catdogimage/0/3",
            "catdogimage/0/5",
        ]

    def test_nothing_of_what_is_held_without_a_gap(self, caplog: pytest.LogCaptureFixture) -> None:
        it = budget()
        it.log_use(9 * MEGABYTE)
        assert caplog.messages == []

    def test_that_it_reads_on_and_that_it_does_not_once_each(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        it = budget()
        it.begin_gap(request(3))
        caplog.clear()
        for held in (1, 2, 3, 5, 3, 5):  # when it is full, no second message
            it.log_use(held * MEGABYTE)
        assert caplog.messages == [
            "Votes are read on though over 1 MB wait: one that ends a gap is missing.",
            "No more votes are read: 4 MB wait for one that ends a gap. "
            "docs/voting.md says what to do.",
        ]

    def test_the_same_again_once_it_held_little(self, caplog: pytest.LogCaptureFixture) -> None:
        it = budget()
        it.begin_gap(request(3))
        caplog.clear()
        for held in (2, 0, 2):
            it.log_use(held * MEGABYTE)
        assert len(caplog.messages) == 2


def test_a_record_costs_its_length_some_times_over_and_more_for_what_is_nested() -> None:
    assert cost(b"x" * 1000) - cost(b"x") == 3 * 999
    assert cost(b"{[]}") > cost(b"1234")
    assert cost(None) == cost(b"") > 0
