"""Voting cluster: a jury with its environment, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from catdog_stream.errors import BrokerError, Reason, RejectedRequest
from catdog_stream.messages.votes import DeadlineMarker, Vote
from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.observing import Observers
from catdog_stream.pipeline.ordered_publisher import Classified, Job, OrderedPublisher, Outcome
from catdog_stream.pipeline.rejection_limit import RejectionLimit
from catdog_stream.pipeline.voting.partition_state import VoteRecord
from catdog_stream.pipeline.voting.vote_aggregator import VoteAggregator
from catdog_stream.pipeline.voting.vote_budget import VoteBudget
from catdog_stream.testing import run_in_virtual_time

TOPIC = "catdogimage"
DEADLINE = 10.0
#: Maximum of answers in flight.
ROOM = 4


@dataclass
class Kafka:
    """Requests of all partitions, and the published decisions."""

    #: Offset of each request of a partition; transaction markers are in between.
    requests: list[int] = field(default_factory=lambda: list(range(100)))
    away: bool = False
    #: True if the jury reads the deadline markers that it writes.
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
        """Decisions as texts: partition, offset, and result."""
        return [
            f"{incoming.source.partition}/{incoming.source.offset} "
            + (outcome.verdict.label if isinstance(outcome, Classified) else outcome.reason)
            for incoming, outcome in self.published
        ]


@dataclass
class Scene:
    """Jury with its environment."""

    jury: VoteAggregator
    answering: OrderedPublisher[Job]
    kafka: Kafka
    failures: list[BaseException]
    #: First undecided request of each partition, as committed.
    first: dict[int, int] = field(default_factory=dict)
    closings: list[DeadlineMarker] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    generation: int = 0
    _papers: int = 0

    async def submit(self, value: bytes, partition: int = 0) -> None:
        """Submit the next record of the votes."""
        number, generation = self._papers, self.generation
        self._papers += 1

        async def acknowledge() -> None:
            if generation == self.generation:  # it covers all before it
                self.acknowledged.extend(range(len(self.acknowledged), number + 1))

        def count(offset: int, _outcome: Outcome) -> None:
            if generation == self.generation:
                self.counted.append(offset)

        def is_current() -> bool:
            return generation == self.generation

        await self.jury.submit(VoteRecord(partition, value, is_current, count, acknowledge))

    async def vote(self, *votes: str, partition: int = 0) -> None:
        """Submit votes such as ``a0 cat``: of a, on request 0; or ``a0 no``."""
        for text in votes:
            name, what = text.split()
            verdict = Verdict({"cat": 0.9, "dog": 0.1}, f"{name[0]} 1")
            no = RejectedRequest(Reason.NOT_AN_IMAGE, "It is no picture.")
            source = Source(TOPIC, partition, int(name[1:]))
            answer = verdict if what == "cat" else no
            await self.submit(Vote(name[0], source, answer).dump(), partition)


@asynccontextmanager
async def scene(
    kafka: Kafka | None = None,
    first: dict[int, int] | None = None,
    budget: VoteBudget | None = None,
) -> AsyncIterator[Scene]:
    kafka = kafka or Kafka()
    kafka.confirm.set()
    failures: list[BaseException] = []
    tasks: set[asyncio.Task[None]] = set()
    first = {0: 0} if first is None else first

    async def owns() -> bool:
        return True

    answering: OrderedPublisher[Job] = OrderedPublisher(
        kafka,
        owns=owns,
        limit=RejectionLimit(in_a_row=1000, share=1.0, window=1000),
        on_failure=failures.append,
        max_in_flight=ROOM,
        observers=Observers(),
    )

    async def close(closing: DeadlineMarker) -> None:
        it.closings.append(closing)
        if kafka.closes:
            reading = asyncio.create_task(it.submit(closing.dump(), closing.partition))
            tasks.add(reading)

    jury = VoteAggregator(
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
        budget=budget,
    )
    it = Scene(jury, answering, kafka, failures, first)
    try:
        yield it
    finally:
        await jury.stop()
    assert not failures


def played(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run_in_virtual_time(scenario())
