"""Tests of decisions: they are published in order and once, within the memory budget."""

import asyncio
from typing import Any

import pytest

from catdog_stream import metrics
from catdog_stream.messages.votes import DeadlineMarker, Vote
from catdog_stream.messages.wire import Source
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.outcome import Classified
from catdog_stream.pipeline.voting.vote_budget import VoteBudget, cost
from tests.pipeline.voting.scenes import DEADLINE, ROOM, TOPIC, Kafka, played, scene


def test_a_request_is_decided_when_all_votes_are_in_and_counted_when_it_is_published() -> None:
    async def scenario() -> None:
        async with scene() as it:
            it.kafka.confirm.clear()
            await it.vote("a0 cat", "a1 cat", "b0 cat")
            await asyncio.sleep(1)
            assert it.kafka.decided == ["0/0 cat"]
            assert (it.counted, it.acknowledged) == ([], [])
            it.kafka.confirm.set()
            await asyncio.sleep(1)
            assert (it.counted, it.acknowledged) == ([0], [0])
            assert it.jury.pending == 1

    played(scenario)


def test_it_is_decided_without_who_does_not_vote_in_time() -> None:
    async def scenario() -> None:
        async with scene() as it:
            await it.vote("a0 cat", "a1 cat", "b1 cat")
            await asyncio.sleep(DEADLINE - 0.1)
            assert it.kafka.decided == []
            await asyncio.sleep(0.2)
            assert it.kafka.decided == ["0/0 cat", "0/1 cat"]
            await it.vote("b0 cat")
            # The deadline marker follows those votes in the log, and the late vote follows the
            # marker.
            assert it.closings == [DeadlineMarker(TOPIC, 0, (0,))]
            assert it.acknowledged == [0, 1, 2, 3, 4], "nothing waits for one that is late"
            notes = [
                outcome.verdict.notes.get("missing")
                for _, outcome in it.kafka.published
                if isinstance(outcome, Classified)
            ]
            assert notes == ["b", None]
            assert set(it.jury.classes) == {"cat", "dog"}
            assert it.jury.absent == [], "of the last one, both votes were there"

    played(scenario)


def test_partitions_do_not_wait_for_each_other() -> None:
    async def scenario() -> None:
        async with scene(first={0: 0, 1: 0}) as it:
            await it.vote("a0 cat")
            await it.vote("a0 cat", "b0 cat", partition=1)
            await asyncio.sleep(0.1)
            assert it.kafka.decided == ["1/0 cat"]

    played(scenario)


class TestWhoReadsTheVotesAgain:
    """Decisions after a crash or a rebalance: the log alone determines them."""

    def test_decides_without_a_vote_that_came_behind_the_deadline(self) -> None:
        async def scenario() -> None:
            async with scene() as it:
                await it.vote("a0 cat")
                await it.submit(DeadlineMarker(TOPIC, 0, (0,)).dump())
                await it.vote("b0 no", "b0 cat")
                await asyncio.sleep(1)
                ((_, outcome),) = it.kafka.published
                assert isinstance(outcome, Classified)
                assert outcome.verdict.notes["missing"] == "b"

        played(scenario)

    def test_waits_no_second_time(self) -> None:
        async def scenario() -> None:
            async with scene() as it:
                await it.vote("a0 cat", "a1 cat")
                await it.submit(DeadlineMarker(TOPIC, 0, (0, 1)).dump())
                await asyncio.sleep(1)
                assert it.kafka.decided == ["0/0 cat", "0/1 cat"]
                assert it.closings == []

        played(scenario)

    def test_counts_a_vote_that_the_deadline_came_behind(self) -> None:
        async def scenario() -> None:
            async with scene(Kafka(closes=False)) as it:
                await it.vote("a0 cat")
                await asyncio.sleep(2 * DEADLINE)
                assert it.kafka.decided == [], "the log does not say so yet"
                await it.vote("b0 cat")
                await it.submit(it.closings[0].dump())
                await asyncio.sleep(1)
                ((_, outcome),) = it.kafka.published
                assert isinstance(outcome, Classified)
                assert "missing" not in outcome.verdict.notes

        played(scenario)


class TestWhenPartitionsMove:
    def test_what_is_undecided_is_forgotten_and_begun_anew(self) -> None:
        async def scenario() -> None:
            async with scene() as it:
                await it.vote("a0 cat", "b0 cat", "a1 cat")
                await asyncio.sleep(1)
                it.generation, it.first[0] = 1, 1
                await asyncio.sleep(2 * DEADLINE)
                assert it.kafka.decided == ["0/0 cat"]
                assert it.jury.pending == 0
                await it.vote("b0 cat", "a1 cat", "b1 cat")
                await asyncio.sleep(1)
                assert it.kafka.decided == ["0/0 cat", "0/1 cat"]
                assert it.counted == [0, 1]

        played(scenario)

    def test_what_is_being_published_is_not_counted_by_who_has_lost_it(self) -> None:
        async def scenario() -> None:
            async with scene() as it:
                it.kafka.confirm.clear()
                await it.vote("a0 cat", "b0 cat")
                await asyncio.sleep(1)
                it.generation = 1
                it.kafka.confirm.set()
                await asyncio.sleep(1)
                assert (it.counted, it.acknowledged) == ([], [])

        played(scenario)

    def test_what_could_not_be_published_is_dropped_and_room_is_left_behind(self) -> None:
        async def scenario() -> None:
            async with scene() as it:
                it.kafka.confirm.clear()
                many = [f"{voter}{n} cat" for n in range(3 * ROOM) for voter in "ab"]
                await it.vote(*many)
                await asyncio.sleep(1)
                assert it.answering.in_flight == ROOM
                await it.jury.abandon()
                assert (it.answering.in_flight, it.jury.pending) == (0, 0)
                it.generation += 1
                it.kafka.confirm.set()
                await it.vote(*many)
                await asyncio.sleep(1)
                assert it.counted == list(range(3 * ROOM))

        played(scenario)


def little() -> VoteBudget:
    """Return a budget of about ten votes, and of about forty at a gap."""
    verdict = Verdict({"cat": 0.9, "dog": 0.1}, "a 1")
    # Memory of a waiting vote: its record, and the parsed vote.
    each = 2 * cost(Vote("a", Source(TOPIC, 0, 0), verdict).dump())
    return VoteBudget(10 * each, 40 * each)


class TestMemory:
    def test_no_more_votes_are_taken_than_it_has_room_for(self) -> None:
        async def scenario() -> None:
            async with scene(budget=little()) as it:
                taking = asyncio.create_task(it.vote(*(f"a{n} cat" for n in range(20))))
                await asyncio.sleep(DEADLINE / 2)
                assert it.jury.full
                assert 8 < it.jury.pending < 12
                await asyncio.sleep(20 * DEADLINE)
                assert taking.done()
                assert it.counted == list(range(20))

        played(scenario)

    def test_a_deadline_that_the_log_tells_behind_what_has_no_room_passes(self) -> None:
        async def scenario() -> None:
            async with scene(Kafka(closes=False), budget=little()) as it:
                await it.vote("a0 cat")
                await asyncio.sleep(DEADLINE + 1)
                assert len(it.closings) == 1
                taking = asyncio.create_task(it.vote(*(f"a{n} cat" for n in range(1, 20))))
                await asyncio.sleep(2)
                assert it.kafka.decided[:1] == ["0/0 cat"]
                await asyncio.sleep(20 * DEADLINE)
                assert taking.done()

        played(scenario)

    def test_a_vote_that_ends_a_gap_is_read_from_behind_what_has_no_room(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def scenario() -> None:
            async with scene(first={0: 0, 1: 0}, budget=little()) as it:
                votes = [f"a{n} cat" for n in range(15, 30)] + [f"b{n} cat" for n in range(30)]
                taking = asyncio.create_task(it.vote(*votes))
                await asyncio.sleep(50 * DEADLINE)
                assert taking.done()
                assert it.counted == list(range(30))
                assert it.jury.gaps == []
                assert it.acknowledged[: len(votes)] == list(range(len(votes)))
                assert not it.jury.full

        played(scenario)
        assert sum(message.startswith("Votes are read on") for message in caplog.messages) == 1

    def test_other_partitions_are_read_while_one_has_a_gap(self) -> None:
        async def scenario() -> None:
            async with scene(first={0: 0, 1: 0}, budget=little()) as it:
                taking = asyncio.create_task(it.vote(*(f"a{n} cat" for n in range(15, 30))))
                await asyncio.sleep(3 * DEADLINE)
                assert taking.done()
                await it.vote("a0 cat", "b0 cat", partition=1)
                await asyncio.sleep(1)
                assert it.kafka.decided == ["1/0 cat"]

        played(scenario)

    def test_a_gap_takes_no_more_than_it_may_and_whoever_asks_is_told(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def scenario() -> None:
            async with scene(budget=little()) as it:
                taking = asyncio.create_task(it.vote(*(f"a{n} cat" for n in range(15, 90))))
                await asyncio.sleep(50 * DEADLINE)
                assert not taking.done()
                assert it.jury.full
                assert 35 < it.jury.pending < 45
                assert it.jury.gaps[1:] == [caplog.messages[-1]]
                taking.cancel()

        played(scenario)
        assert caplog.messages[-1].startswith("No more votes are read")
        assert sum(message.startswith("No more votes") for message in caplog.messages) == 1

    def test_votes_that_come_to_nothing_take_no_room(self) -> None:
        async def scenario() -> None:
            async with scene(budget=little()) as it:
                await it.vote("a1 cat", *["a1 cat", "c0 cat"] * 100)
                for _ in range(100):
                    await it.submit(b"nonsense")
                assert not it.jury.full
                await it.vote("a0 cat", "b0 cat", "b1 cat")
                await asyncio.sleep(1)
                assert it.counted == [0, 1]
                assert it.acknowledged == list(range(304))

        played(scenario)


def test_the_metrics_tell_what_became_of_votes_and_decisions() -> None:
    def now(counter: Any, **labels: str) -> float:
        return float(counter.labels(**labels)._value.get())

    def numbers() -> tuple[float, ...]:
        return (
            *(
                now(metrics.VOTES_READ, voter="a", fate=fate)
                for fate in ("held", "repeated", "late")
            ),
            *(now(metrics.DECISIONS, votes=votes) for votes in ("complete", "incomplete")),
        )

    async def scenario() -> None:
        async with scene() as it:
            await it.vote("a0 cat", "a0 cat", "b0 cat", "a1 cat")
            await asyncio.sleep(2 * DEADLINE)
            await it.vote("a0 cat")

    before = numbers()
    played(scenario)
    assert [b - a for a, b in zip(before, numbers(), strict=True)] == [2, 1, 1, 1, 1]
