"""Tests of the decider: a decision is published, and no earlier request was skipped."""

import asyncio

from catdog_stream.errors import RejectedRequest
from tests.pipeline.voting.scenes import DEADLINE, Kafka, played, scene


def test_a_rejection_carries_the_request_itself() -> None:
    async def scenario() -> None:
        async with scene() as it:
            it.kafka.away = False
            await it.vote("a0 no", "b0 no")
            await asyncio.sleep(0.1)
            ((incoming, outcome),) = it.kafka.published
            assert isinstance(outcome, RejectedRequest)
            assert (incoming.key, incoming.value, incoming.timestamp_ms) == (
                b"key",
                b"the request",
                7,
            )

    played(scenario)


def test_kafka_may_be_away_for_a_while() -> None:
    async def scenario() -> None:
        async with scene() as it:
            it.kafka.away = True
            await it.vote("a0 no", "b0 no")
            await asyncio.sleep(5)
            assert it.kafka.decided == []
            it.kafka.away = False
            await asyncio.sleep(1)
            assert it.kafka.decided == ["0/0 not_an_image"]

    played(scenario)


class TestWhatNobodyMayHaveForgotten:
    def test_a_request_that_was_passed_over_is_waited_for(self) -> None:
        async def scenario() -> None:
            async with scene() as it:
                await it.vote("a5 cat", "b5 cat")  # 0 to 4 are missing
                await asyncio.sleep(10 * DEADLINE)
                assert it.kafka.decided == []
                (gap,) = it.jury.gaps
                assert gap.startswith("Nobody has voted on the request catdogimage/0/0:")
                await it.vote(*(f"{voter}{n} cat" for n in range(6) for voter in "ab"))
                await asyncio.sleep(1)
                assert it.jury.gaps == []
                assert it.kafka.decided == [f"0/{n} cat" for n in range(6)]

        played(scenario)

    def test_between_requests_may_lie_what_is_none(self) -> None:
        async def scenario() -> None:
            async with scene(Kafka(requests=[2, 3, 7])) as it:
                await it.vote("a2 cat", "b2 cat", "a3 cat", "b3 cat", "a7 cat", "b7 cat")
                await asyncio.sleep(1)
                assert it.kafka.decided == ["0/2 cat", "0/3 cat", "0/7 cat"]

        played(scenario)

    def test_votes_on_a_request_that_is_not_there_come_to_nothing(self) -> None:
        async def scenario() -> None:
            async with scene(Kafka(requests=[0, 1])) as it:
                await it.vote("a0 cat", "b0 cat", "a2 cat", "b2 cat", "a900 cat")
                await asyncio.sleep(3 * DEADLINE)
                assert it.kafka.decided == ["0/0 cat"]
                assert it.acknowledged == [0, 1, 2, 3, 4, 5]
                it.kafka.requests.append(2)
                await it.vote("a1 cat", "b1 cat", "a2 cat", "b2 cat")
                await asyncio.sleep(1)
                assert it.kafka.decided == ["0/0 cat", "0/1 cat", "0/2 cat"]

        played(scenario)

    def test_a_partition_of_which_nothing_was_ever_decided_begins_with_the_first_vote(self) -> None:
        async def scenario() -> None:
            async with scene(first={}) as it:
                await it.vote("a5 cat", "b5 cat")
                await asyncio.sleep(1)
                assert it.kafka.decided == ["0/5 cat"]

        played(scenario)
