"""Decisions leave in order, once, for requests that are there, and none is passed over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from catdog_stream import metrics
from catdog_stream.errors import BrokerError, Reason, RejectedRequest
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.answering import Answering, Classified, Job, Outcome
from catdog_stream.pipeline.observing import Observers
from catdog_stream.pipeline.rejection_limit import RejectionLimit
from catdog_stream.pipeline.voting.jury import Jury, Paper
from catdog_stream.pipeline.voting.room import Room, cost
from catdog_stream.testing import run_in_virtual_time
from catdog_stream.votes import Closing, Vote
from catdog_stream.wire import Incoming, Source

TOPIC = "catdogimage"
DEADLINE = 10.0
#: Answers on their way at a time.
ROOM = 4


@dataclass
class Kafka:
    """The requests of all partitions, and where decisions go."""

    #: The place of each request of a partition; between them lie marks.
    requests: list[int] = field(default_factory=lambda: list(range(100)))
    away: bool = False
    #: Whether what the jury writes into the log of the votes is read by it.
    closes: bool = True
    published: list[tuple[Incoming, Outcome]] = field(default_factory=list)
    confirm: asyncio.Event = field(default_factory=asyncio.Event)

    async def exists(self, _partition: int, offset: int) -> bool:
        if self.away:
            raise BrokerError("Nobody answers.")
        return offset <= self.requests[-1]

    async def next_from(self, _partition: int, offset: int) -> int:
        if self.away:
            raise BrokerError("Nobody answers.")
        return min(place for place in self.requests if place >= offset)

    async def read(self, source: Source) -> Incoming | None:
        if self.away:
            raise BrokerError("Nobody answers.")
        return Incoming(source, b"key", b"the request", (("a", b"b"),), 7)

    async def publish(self, incoming: Incoming, outcome: Outcome) -> Awaitable[Outcome]:
        self.published.append((incoming, outcome))
        return asyncio.ensure_future(self._confirmed(outcome))

    async def _confirmed(self, outcome: Outcome) -> Outcome:
        await self.confirm.wait()
        return outcome

    @property
    def decided(self) -> list[str]:
        """Each decision: partition, offset, and what it came to."""
        return [
            f"{incoming.source.partition}/{incoming.source.offset} "
            + (outcome.verdict.label if isinstance(outcome, Classified) else outcome.reason)
            for incoming, outcome in self.published
        ]


@dataclass
class Scene:
    """A jury with its surroundings."""

    jury: Jury
    answering: Answering[Job]
    kafka: Kafka
    failures: list[BaseException]
    #: By partition: the first undecided request, as it was committed.
    first: dict[int, int] = field(default_factory=dict)
    closings: list[Closing] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    generation: int = 0
    _papers: int = 0

    async def submit(self, value: bytes, partition: int = 0) -> None:
        """The next record of the votes."""
        number, generation = self._papers, self.generation
        self._papers += 1

        async def acknowledge() -> None:
            if generation == self.generation:  # it stands for all before it
                self.acknowledged.extend(range(len(self.acknowledged), number + 1))

        def count(offset: int, _outcome: Outcome) -> None:
            if generation == self.generation:
                self.counted.append(offset)

        def is_current() -> bool:
            return generation == self.generation

        await self.jury.submit(Paper(partition, value, is_current, count, acknowledge))

    async def vote(self, *votes: str, partition: int = 0) -> None:
        """Votes such as ``a0 cat``: of a, on request 0; or ``a0 no``."""
        for text in votes:
            name, what = text.split()
            verdict = Verdict({"cat": 0.9, "dog": 0.1}, f"{name[0]} 1")
            no = RejectedRequest(Reason.NOT_AN_IMAGE, "It is no picture.")
            source = Source(TOPIC, partition, int(name[1:]))
            answer = verdict if what == "cat" else no
            await self.submit(Vote(name[0], source, answer).dump(), partition)


@asynccontextmanager
async def scene(
    kafka: Kafka | None = None, first: dict[int, int] | None = None, room: Room | None = None
) -> AsyncIterator[Scene]:
    kafka = kafka or Kafka()
    kafka.confirm.set()
    failures: list[BaseException] = []
    tasks: set[asyncio.Task[None]] = set()
    first = {0: 0} if first is None else first

    async def owns() -> bool:
        return True

    answering: Answering[Job] = Answering(
        kafka,
        owns=owns,
        limit=RejectionLimit(in_a_row=1000, share=1.0, window=1000),
        on_failure=failures.append,
        max_in_flight=ROOM,
        observers=Observers(),
    )

    async def close(closing: Closing) -> None:
        it.closings.append(closing)
        if kafka.closes:
            reading = asyncio.create_task(it.submit(closing.dump(), closing.partition))
            tasks.add(reading)

    jury = Jury(
        ("a", "b"),
        rule="log_odds",
        close=close,
        deadline=DEADLINE,
        topic=TOPIC,
        answering=answering,
        requests=kafka,
        first=first.get,
        on_failure=failures.append,
        clock=asyncio.get_running_loop().time,
        room=room,
    )
    it = Scene(jury, answering, kafka, failures, first)
    try:
        yield it
    finally:
        await jury.stop()
    assert not failures


def played(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run_in_virtual_time(story())


def test_a_request_is_decided_when_all_votes_are_in_and_counted_when_it_is_published() -> None:
    async def story() -> None:
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

    played(story)


def test_it_is_decided_without_who_does_not_vote_in_time() -> None:
    async def story() -> None:
        async with scene() as it:
            await it.vote("a0 cat", "a1 cat", "b1 cat")
            await asyncio.sleep(DEADLINE - 0.1)
            assert it.kafka.decided == []
            await asyncio.sleep(0.2)
            assert it.kafka.decided == ["0/0 cat", "0/1 cat"]
            await it.vote("b0 cat")
            # Behind those the log says that the deadline has passed, and then comes the late one.
            assert it.closings == [Closing(TOPIC, 0, (0,))]
            assert it.acknowledged == [0, 1, 2, 3, 4], "nothing waits for one that is late"
            notes = [
                outcome.verdict.notes.get("missing")
                for _, outcome in it.kafka.published
                if isinstance(outcome, Classified)
            ]
            assert notes == ["b", None]

    played(story)


def test_partitions_do_not_wait_for_each_other() -> None:
    async def story() -> None:
        async with scene(first={0: 0, 1: 0}) as it:
            await it.vote("a0 cat")
            await it.vote("a0 cat", "b0 cat", partition=1)
            await asyncio.sleep(0.1)
            assert it.kafka.decided == ["1/0 cat"]

    played(story)


def test_a_rejection_carries_the_request_itself() -> None:
    async def story() -> None:
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

    played(story)


class TestWhatNobodyMayHaveForgotten:
    def test_a_request_that_was_passed_over_is_waited_for(self) -> None:
        async def story() -> None:
            async with scene() as it:
                await it.vote("a5 cat", "b5 cat")  # where are 0 to 4?
                await asyncio.sleep(10 * DEADLINE)
                assert it.kafka.decided == []
                (gap,) = it.jury.gaps
                assert gap.startswith("Nobody has voted on the request catdogimage/0/0:")
                await it.vote(*(f"{voter}{n} cat" for n in range(6) for voter in "ab"))
                await asyncio.sleep(1)
                assert it.jury.gaps == []
                assert it.kafka.decided == [f"0/{n} cat" for n in range(6)]

        played(story)

    def test_between_requests_may_lie_what_is_none(self) -> None:
        async def story() -> None:
            async with scene(Kafka(requests=[2, 3, 7])) as it:
                await it.vote("a2 cat", "b2 cat", "a3 cat", "b3 cat", "a7 cat", "b7 cat")
                await asyncio.sleep(1)
                assert it.kafka.decided == ["0/2 cat", "0/3 cat", "0/7 cat"]

        played(story)

    def test_votes_on_a_request_that_is_not_there_come_to_nothing(self) -> None:
        async def story() -> None:
            async with scene(Kafka(requests=[0, 1])) as it:
                await it.vote("a0 cat", "b0 cat", "a2 cat", "b2 cat", "a900 cat")
                await asyncio.sleep(3 * DEADLINE)
                assert it.kafka.decided == ["0/0 cat"]
                assert it.acknowledged == [0, 1, 2, 3, 4, 5]
                it.kafka.requests.append(2)
                await it.vote("a1 cat", "b1 cat", "a2 cat", "b2 cat")
                await asyncio.sleep(1)
                assert it.kafka.decided == ["0/0 cat", "0/1 cat", "0/2 cat"]

        played(story)

    def test_a_partition_of_which_nothing_was_ever_decided_begins_with_the_first_vote(self) -> None:
        async def story() -> None:
            async with scene(first={}) as it:
                await it.vote("a5 cat", "b5 cat")
                await asyncio.sleep(1)
                assert it.kafka.decided == ["0/5 cat"]

        played(story)


def test_kafka_may_be_away_for_a_while() -> None:
    async def story() -> None:
        async with scene() as it:
            it.kafka.away = True
            await it.vote("a0 no", "b0 no")
            await asyncio.sleep(5)
            assert it.kafka.decided == []
            it.kafka.away = False
            await asyncio.sleep(1)
            assert it.kafka.decided == ["0/0 not_an_image"]

    played(story)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"nonsense",
        Vote("a", Source("other", 0, 0), Verdict({"cat": 1.0, "dog": 0.0}, "x")).dump(),
        Vote("a", Source(TOPIC, 1, 0), Verdict({"cat": 1.0, "dog": 0.0}, "x")).dump(),
    ],
)
def test_what_is_no_vote_or_stands_in_the_wrong_place_is_passed_over(value: bytes) -> None:
    async def story() -> None:
        async with scene() as it:
            await it.submit(value)
            assert it.acknowledged == [0]
            assert it.jury.pending == 0

    played(story)


def test_a_voter_that_nobody_expects_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with scene() as it:
            await it.vote("c0 cat", "c1 cat", "a0 cat", "b0 cat")
            await asyncio.sleep(0.1)
            assert it.kafka.decided == ["0/0 cat"]

    played(story)
    assert caplog.messages == ["The votes of c are not counted: it is not expected."]


class TestWhoReadsTheVotesAgain:
    """After a crash, or where partitions move, the log alone says what is decided."""

    def test_decides_without_a_vote_that_came_behind_the_deadline(self) -> None:
        async def story() -> None:
            async with scene() as it:
                await it.vote("a0 cat")
                await it.submit(Closing(TOPIC, 0, (0,)).dump())
                await it.vote("b0 no", "b0 cat")
                await asyncio.sleep(1)
                ((_, outcome),) = it.kafka.published
                assert isinstance(outcome, Classified)
                assert outcome.verdict.notes["missing"] == "b"

        played(story)

    def test_waits_no_second_time(self) -> None:
        async def story() -> None:
            async with scene() as it:
                await it.vote("a0 cat", "a1 cat")
                await it.submit(Closing(TOPIC, 0, (0, 1)).dump())
                await asyncio.sleep(1)
                assert it.kafka.decided == ["0/0 cat", "0/1 cat"]
                assert it.closings == []

        played(story)

    def test_counts_a_vote_that_the_deadline_came_behind(self) -> None:
        async def story() -> None:
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

        played(story)

    @pytest.mark.parametrize("where", [("other", 0), (TOPIC, 1)])
    def test_believes_no_deadline_of_another_place(self, where: tuple[str, int]) -> None:
        async def story() -> None:
            async with scene() as it:
                await it.vote("a0 cat")
                await it.submit(Closing(*where, (0,)).dump())
                await asyncio.sleep(1)
                assert it.kafka.decided == []

        played(story)


class TestWhenPartitionsMove:
    def test_what_is_undecided_is_forgotten_and_begun_anew(self) -> None:
        async def story() -> None:
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

        played(story)

    def test_what_is_being_published_is_not_counted_by_who_has_lost_it(self) -> None:
        async def story() -> None:
            async with scene() as it:
                it.kafka.confirm.clear()
                await it.vote("a0 cat", "b0 cat")
                await asyncio.sleep(1)
                it.generation = 1
                it.kafka.confirm.set()
                await asyncio.sleep(1)
                assert (it.counted, it.acknowledged) == ([], [])

        played(story)

    def test_what_could_not_be_published_is_dropped_and_room_is_left_behind(self) -> None:
        async def story() -> None:
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

        played(story)


def little() -> Room:
    """Room for about ten votes, and at a gap for about forty."""
    verdict = Verdict({"cat": 0.9, "dog": 0.1}, "a 1")
    # What a held vote takes: its record, and what was read from it.
    each = 2 * cost(Vote("a", Source(TOPIC, 0, 0), verdict).dump())
    return Room(10 * each, 40 * each)


class TestMemory:
    def test_no_more_votes_are_taken_than_it_has_room_for(self) -> None:
        async def story() -> None:
            async with scene(room=little()) as it:
                taking = asyncio.create_task(it.vote(*(f"a{n} cat" for n in range(20))))
                await asyncio.sleep(DEADLINE / 2)
                assert it.jury.full
                assert 8 < it.jury.pending < 12
                await asyncio.sleep(20 * DEADLINE)
                assert taking.done()
                assert it.counted == list(range(20))

        played(story)

    def test_a_deadline_that_the_log_tells_behind_what_has_no_room_passes(self) -> None:
        async def story() -> None:
            async with scene(Kafka(closes=False), room=little()) as it:
                await it.vote("a0 cat")
                await asyncio.sleep(DEADLINE + 1)
                assert len(it.closings) == 1
                taking = asyncio.create_task(it.vote(*(f"a{n} cat" for n in range(1, 20))))
                await asyncio.sleep(2)
                assert it.kafka.decided[:1] == ["0/0 cat"]
                await asyncio.sleep(20 * DEADLINE)
                assert taking.done()

        played(story)

    def test_a_vote_that_ends_a_gap_is_read_from_behind_what_has_no_room(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def story() -> None:
            async with scene(first={0: 0, 1: 0}, room=little()) as it:
                votes = [f"a{n} cat" for n in range(15, 30)] + [f"b{n} cat" for n in range(30)]
                taking = asyncio.create_task(it.vote(*votes))
                await asyncio.sleep(50 * DEADLINE)
                assert taking.done()
                assert it.counted == list(range(30))
                assert it.jury.gaps == []
                assert it.acknowledged[: len(votes)] == list(range(len(votes)))
                assert not it.jury.full

        played(story)
        assert sum(message.startswith("Votes are read on") for message in caplog.messages) == 1

    def test_other_partitions_are_read_while_one_has_a_gap(self) -> None:
        async def story() -> None:
            async with scene(first={0: 0, 1: 0}, room=little()) as it:
                taking = asyncio.create_task(it.vote(*(f"a{n} cat" for n in range(15, 30))))
                await asyncio.sleep(3 * DEADLINE)
                assert taking.done()
                await it.vote("a0 cat", "b0 cat", partition=1)
                await asyncio.sleep(1)
                assert it.kafka.decided == ["1/0 cat"]

        played(story)

    def test_a_gap_takes_no_more_than_it_may_and_whoever_asks_is_told(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def story() -> None:
            async with scene(room=little()) as it:
                taking = asyncio.create_task(it.vote(*(f"a{n} cat" for n in range(15, 90))))
                await asyncio.sleep(50 * DEADLINE)
                assert not taking.done()
                assert it.jury.full
                assert 35 < it.jury.pending < 45
                assert it.jury.gaps[1:] == [caplog.messages[-1]]
                taking.cancel()

        played(story)
        assert caplog.messages[-1].startswith("No more votes are read")
        assert sum(message.startswith("No more votes") for message in caplog.messages) == 1

    def test_votes_that_come_to_nothing_take_no_room(self) -> None:
        async def story() -> None:
            async with scene(room=little()) as it:
                await it.vote("a1 cat", *["a1 cat", "c0 cat"] * 100)
                for _ in range(100):
                    await it.submit(b"nonsense")
                assert not it.jury.full
                await it.vote("a0 cat", "b0 cat", "b1 cat")
                await asyncio.sleep(1)
                assert it.counted == [0, 1]
                assert it.acknowledged == list(range(304))

        played(story)


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

    async def story() -> None:
        async with scene() as it:
            await it.vote("a0 cat", "a0 cat", "b0 cat", "a1 cat")
            await asyncio.sleep(2 * DEADLINE)
            await it.vote("a0 cat")

    before = numbers()
    played(story)
    assert [b - a for a, b in zip(before, numbers(), strict=True)] == [2, 1, 1, 1, 1]
