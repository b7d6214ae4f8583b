"""From votes to published decisions. Knows no Faust and no Kafka.

Each partition has a docket (see ``docket``) and a task that decides its requests, in their order,
when they are due. Before a request is decided it is made sure that it is there, and that none in
front of it was passed over: a vote that a stranger makes up, or a voter that was made to begin
later than the others, must not have requests forgotten.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from catdog_stream import metrics
from catdog_stream.errors import BrokerError, RejectedRequest
from catdog_stream.models.deciding import Rule
from catdog_stream.pipeline.answering import Answering, Job, Outcome
from catdog_stream.pipeline.moments import Moments
from catdog_stream.pipeline.voting.decision import Decision
from catdog_stream.pipeline.voting.docket import Docket, Fate, Undecided
from catdog_stream.pipeline.voting.room import Room, cost
from catdog_stream.votes import Closing, Vote
from catdog_stream.wire import Incoming, Source

__all__ = ["Jury", "Paper", "Requests"]

logger = logging.getLogger(__name__)

#: Seconds between two looks at what nothing tells of: partitions lost, requests that are not there.
LOOK_SECONDS = 0.5


class Requests(Protocol):
    """What is known of the requests that are voted on."""

    async def exists(self, partition: int, offset: int) -> bool:
        """Whether the partition is longer than ``offset``. Raises ``BrokerError``."""

    async def next_from(self, partition: int, offset: int) -> int:
        """The first request at ``offset``, which exists, or behind it. Raises ``BrokerError``."""

    async def read(self, source: Source) -> Incoming | None:
        """The request; ``None`` if it was deleted. Raises ``BrokerError``."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A record of the votes, as it was read."""

    partition: int
    value: bytes | None
    #: Whether what was read of its partition is still this process's, to be decided now.
    is_current: Callable[[], bool]
    #: Counts the decision on the request at an offset of the partition, if that is still its.
    count: Callable[[int, Outcome], object]
    #: Acknowledges it, and all before it.
    acknowledge: Callable[[], Awaitable[object]]


class _Bench:
    """A partition that is this process's, from when it was taken over."""

    def __init__(self, docket: Docket[Paper], paper: Paper) -> None:
        self.docket = docket
        self.is_current, self.count = paper.is_current, paper.count
        self.news = asyncio.Event()


class Jury:
    """Decides requests.

    Args:
        voters: who is expected to vote.
        rule: how votes become a verdict.
        deadline: seconds from the first vote on a request until it is decided without the others.
        topic: of the requests.
        answering: publishes the decisions.
        requests: what is known of the requests.
        close: writes into the log of the votes that deadlines have passed.
        first: tells the first request of a partition that was not decided, as it was committed.
        on_failure: called once with what made deciding impossible.
        clock: seconds that never go back.
        room: for the votes that wait.
    """

    def __init__(
        self,
        voters: Sequence[str],
        *,
        rule: Rule,
        deadline: float,
        topic: str,
        answering: Answering[Job],
        requests: Requests,
        close: Callable[[Closing], Awaitable[object]],
        first: Callable[[int], int | None],
        on_failure: Callable[[BaseException], object],
        clock: Callable[[], float] = time.perf_counter,
        room: Room | None = None,
    ) -> None:
        self._voters = voters
        self._rule = rule
        self._deadline = deadline
        self._topic = topic
        self._answering = answering
        self._requests = requests
        self._close = close
        self._first = first
        self._on_failure = on_failure
        self._clock = clock
        self._benches: dict[int, _Bench] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._strangers: set[str] = set()
        self._room = Room() if room is None else room

    @property
    def pending(self) -> int:
        """Requests that wait for votes."""
        return sum(len(bench.docket) for bench in self._benches.values())

    @property
    def gaps(self) -> list[str]:
        """What keeps requests from being decided though their deadlines have passed."""
        return self._room.problems(self._held)

    @property
    def full(self) -> bool:
        """Whether so much is held that nothing more is read until something is decided."""
        return self._room.is_full(self._held)

    @property
    def _held(self) -> int:
        return sum(each.docket.bytes for each in self._benches.values())

    async def stop(self) -> None:
        """Forget what is undecided, unacknowledged: Kafka will deliver it again."""
        await self._forget()
        await self._answering.stop()

    async def abandon(self) -> None:
        """Forget what is undecided or not confirmed, and be ready for what comes next."""
        await self._forget()
        await self._answering.abandon()

    async def _forget(self) -> None:
        tasks = tuple(self._tasks.values())
        self._tasks.clear()
        self._benches.clear()
        self._room.forget_gaps()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def submit(self, paper: Paper) -> None:
        """Take a record, as soon as there is room for one more."""
        self._room.tell(self._held)
        while self.full and paper.is_current():
            await asyncio.sleep(LOOK_SECONDS)
            self._room.tell(self._held)
        if not paper.is_current():
            return
        bench = self._bench(paper)
        self._take(paper, bench.docket)
        bench.news.set()
        await _acknowledge(bench.docket.free())

    def _take(self, paper: Paper, docket: Docket[Paper]) -> None:
        # Wherever else it stands, another member of the jury would count the request as well.
        place = (self._topic, paper.partition)
        vote = Vote.parse(paper.value)
        if vote is not None and (vote.source.topic, vote.source.partition) == place:
            fate = docket.add(vote, paper, self._clock(), cost(paper.value))
            stranger = fate is Fate.STRANGER
            metrics.VOTES_READ.labels("other" if stranger else vote.voter, fate).inc()
            if stranger:
                self._tell_of(vote.voter)
            return
        closing = Closing.parse(paper.value)
        if closing is not None and (closing.topic, closing.partition) == place:
            docket.pass_over(paper, cost(paper.value))
            docket.close(closing.offsets)
            return
        docket.pass_over(paper, cost(paper.value))
        metrics.VOTES_READ.labels("other", Fate.UNREADABLE).inc()

    def _tell_of(self, stranger: str) -> None:
        if stranger not in self._strangers and len(self._strangers) < 100:
            self._strangers.add(stranger)
            logger.warning("The votes of %s are not counted: it is not expected.", stranger)

    def _bench(self, paper: Paper) -> _Bench:
        bench = self._benches.get(paper.partition)
        if bench is None or not bench.is_current():
            first = self._first(paper.partition)
            docket: Docket[Paper] = Docket(self._voters, deadline=self._deadline, first=first)
            bench = self._benches[paper.partition] = _Bench(docket, paper)
            if (task := self._tasks.pop(paper.partition, None)) is not None:
                task.cancel()
            task = asyncio.get_running_loop().create_task(self._serve(paper.partition, bench))
            task.add_done_callback(self._on_done)
            self._tasks[paper.partition] = task
        return bench

    def _on_done(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)

    async def _serve(self, partition: int, bench: _Bench) -> None:
        """Decide what is due, for as long as the partition is this process's."""
        while bench.is_current():
            await self._close_overdue(partition, bench.docket)
            if not bench.docket.is_ready:
                await self._wait(bench)
            elif not await self._answering.room():
                break
            elif not await self._decide_head(partition, bench):
                await asyncio.sleep(LOOK_SECONDS)
        if self._benches.get(partition) is bench:
            self._room.end_gap(partition)
            del self._benches[partition]  # the votes that it held are read again, by whoever has it

    async def _close_overdue(self, partition: int, docket: Docket[Paper]) -> None:
        """Have the log say that deadlines have passed; it is read there, behind votes in time."""
        if self.full:
            # It would never be read, nor what was written before there was no room. Only here may
            # a request be decided otherwise after a crash.
            docket.close_head(self._clock())
        elif overdue := docket.overdue(self._clock()):
            await self._close(Closing(self._topic, partition, tuple(overdue)))

    async def _wait(self, bench: _Bench) -> None:
        # While there is no room, deadlines that have passed are not told, and stay the next ones.
        deadline = None if self.full else bench.docket.next_deadline()
        seconds = LOOK_SECONDS if deadline is None else deadline - self._clock()
        seconds = min(seconds, LOOK_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                await bench.news.wait()
        except TimeoutError:
            return
        bench.news.clear()

    async def _is_next(self, partition: int, docket: Docket[Paper]) -> bool:
        """Whether the request at the head is there, and none in front of it is undecided."""
        head = docket.head
        assert head is not None
        try:
            if not await self._requests.exists(partition, head.offset):
                await self._look_away(partition, docket, head)
                return False
            if docket.first is None or docket.first == head.offset:
                return docket.head is head  # more votes may have come, on an earlier request, too
            found = await self._requests.next_from(partition, docket.first)
        except BrokerError as error:
            logger.warning("Requests cannot be looked up: %s Trying again.", error)
            return False
        if found < head.offset and self._has_waited(head):
            self._room.begin_gap(Source(self._topic, partition, found))
        return found >= head.offset and docket.head is head

    async def _look_away(self, partition: int, docket: Docket[Paper], head: Undecided) -> None:
        """Forget what was voted on no request, once it cannot be that it is only not known yet."""
        if self._has_waited(head) and docket.head is head:
            source = f"{self._topic}/{partition}/{head.offset}"
            logger.warning("There is no request %s.", source, extra={"source": source})
            docket.drop()
            await _acknowledge(docket.free())

    def _has_waited(self, head: Undecided) -> bool:
        return self._clock() - head.since > self._deadline

    async def _decide_head(self, partition: int, bench: _Bench) -> bool:
        """Decide the request at the head, for which there is room; whether it can be decided."""
        job = None
        try:
            if await self._is_next(partition, bench.docket):
                job = await self._decided(bench)
        finally:
            if job is None or not bench.is_current():
                self._answering.leave_room()
        if job is not None and bench.is_current():
            self._answering.append(job)
        return job is not None

    async def _decided(self, bench: _Bench) -> Job:
        decision = bench.docket.take()
        source = decision.votes[0].source
        self._room.end_gap(source.partition)
        outcome = decision.outcome(self._rule)
        metrics.DECISIONS.labels("incomplete" if decision.missing else "complete").inc()
        if isinstance(outcome, RejectedRequest):
            incoming = await self._whole(decision, bench)
        else:
            incoming = decision.votes[0].incoming()
        moments = Moments(taken=decision.since, voted=self._clock())
        job = Job(incoming, partial(self._settle, bench, source), moments=moments)
        job.outcome.set_result(outcome)
        return job

    async def _whole(self, decision: Decision, bench: _Bench) -> Incoming:
        """The request with its own bytes, which its rejection carries, if it is still there."""
        while bench.is_current():
            try:
                whole = await self._requests.read(decision.votes[0].source)
            except BrokerError as error:
                source = str(decision.votes[0].source)
                logger.warning(
                    "The rejected request %s cannot be read: %s Trying again.",
                    source,
                    error,
                    extra={"source": source},
                )
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return whole or decision.votes[0].incoming()
        return decision.votes[0].incoming()

    async def _settle(self, bench: _Bench, source: Source, outcome: Outcome) -> None:
        """Count the decision, and acknowledge what nothing waits for any more.

        A commit that comes between counts it beside votes that are read again, and are late then.
        """
        bench.count(source.offset, outcome)
        await _acknowledge(bench.docket.settle(source.offset))


async def _acknowledge(papers: Sequence[Paper]) -> None:
    for paper in papers:
        await paper.acknowledge()
