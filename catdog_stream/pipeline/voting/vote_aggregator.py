"""Aggregation of votes in all partitions: each has a task that decides its requests in order.

A ``VoteIngester`` joins the records as they are read, and a ``Decider`` decides requests. This
module decides when they are due, and limits the memory for votes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from catdog_stream.messages.votes import DeadlineMarker
from catdog_stream.models.vote_rules import Rule
from catdog_stream.pipeline.ordered_publisher import Job, OrderedPublisher
from catdog_stream.pipeline.voting.absence import Absence
from catdog_stream.pipeline.voting.decider import Decider, Requests
from catdog_stream.pipeline.voting.partition_state import (
    LOOK_SECONDS,
    PartitionState,
    VoteRecord,
    acknowledge,
)
from catdog_stream.pipeline.voting.vote_budget import VoteBudget
from catdog_stream.pipeline.voting.vote_ingester import VoteIngester
from catdog_stream.pipeline.voting.vote_join import VoteJoin

__all__ = ["VoteAggregator"]


class VoteAggregator:
    """Aggregator of votes into decisions.

    Args:
        voters: names of the expected voters.
        rule: combines votes to a verdict.
        deadline: seconds from the first vote on a request until it is decided without the others.
        topic: topic of the requests.
        answering: publishes the decisions.
        requests: lookup of the requests.
        close: writes a deadline marker into the log of the votes.
        first: returns the first undecided request of a partition, as committed.
        on_failure: called once with the error that made deciding impossible.
        clock: monotonic time in seconds.
        budget: memory budget for waiting votes.
    """

    def __init__(
        self,
        voters: Sequence[str],
        *,
        rule: Rule,
        deadline: float,
        topic: str,
        answering: OrderedPublisher[Job],
        requests: Requests,
        close: Callable[[DeadlineMarker], Awaitable[object]],
        first: Callable[[int], int | None],
        on_failure: Callable[[BaseException], object],
        clock: Callable[[], float] = time.perf_counter,
        budget: VoteBudget | None = None,
    ) -> None:
        self._voters = voters
        self._deadline = deadline
        self._topic = topic
        self._answering = answering
        self._close = close
        self._first = first
        self._on_failure = on_failure
        self._clock = clock
        self._budget = VoteBudget() if budget is None else budget
        self._absence = Absence(voters)
        self._ingester = VoteIngester(topic, clock)
        self._decider = Decider(
            rule=rule,
            deadline=deadline,
            topic=topic,
            answering=answering,
            requests=requests,
            budget=self._budget,
            absence=self._absence,
            clock=clock,
        )
        self._states: dict[int, PartitionState] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    @property
    def pending(self) -> int:
        """Number of requests that wait for votes."""
        return sum(len(state.join) for state in self._states.values())

    @property
    def classes(self) -> Sequence[str]:
        """Classes of the voters; empty before the first verdict."""
        return self._decider.classes

    @property
    def absent(self) -> list[str]:
        """Sentences about the voters that are missing from the latest decision."""
        return self._absence.problems()

    @property
    def gaps(self) -> list[str]:
        """Sentences about gaps, which block decisions even after the deadline."""
        return self._budget.problems(self._held)

    @property
    def full(self) -> bool:
        """True if the memory budget is exceeded, so that reading stops until a decision."""
        return self._budget.is_full(self._held)

    @property
    def _held(self) -> int:
        return sum(state.join.bytes for state in self._states.values())

    async def stop(self) -> None:
        """Drop the undecided requests without acknowledgement: Kafka delivers them again."""
        await self._forget()
        await self._answering.stop()

    async def abandon(self) -> None:
        """Drop the undecided or unconfirmed requests, and accept new ones."""
        await self._forget()
        await self._answering.abandon()

    async def _forget(self) -> None:
        tasks = tuple(self._tasks.values())
        self._tasks.clear()
        self._states.clear()
        self._budget.forget_gaps()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def submit(self, vote_record: VoteRecord) -> None:
        """Take a record, as soon as the memory budget allows it."""
        self._budget.log_use(self._held)
        while self.full and vote_record.is_current():
            await asyncio.sleep(LOOK_SECONDS)
            self._budget.log_use(self._held)
        if not vote_record.is_current():
            return
        state = self._state(vote_record)
        self._ingester.enter(vote_record, state.join)
        state.notify()
        await acknowledge(state.join.free())

    def _state(self, vote_record: VoteRecord) -> PartitionState:
        state = self._states.get(vote_record.partition)
        if state is None or not state.is_current():
            first = self._first(vote_record.partition)
            join: VoteJoin[VoteRecord] = VoteJoin(
                self._voters, deadline=self._deadline, first=first
            )
            state = self._states[vote_record.partition] = PartitionState(join, vote_record)
            if (task := self._tasks.pop(vote_record.partition, None)) is not None:
                task.cancel()
            task = asyncio.get_running_loop().create_task(self._serve(state))
            task.add_done_callback(self._on_done)
            self._tasks[vote_record.partition] = task
        return state

    def _on_done(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)

    async def _serve(self, state: PartitionState) -> None:
        """Decide the requests that are due, while this process owns the partition."""
        while state.is_current():
            await self._close_overdue(state)
            if not state.join.is_ready:
                await state.wait(self._seconds_to_wait(state.join))
            elif not await self._answering.reserve_slot():
                break
            elif not await self._decider.decide(state):
                await asyncio.sleep(LOOK_SECONDS)
        if self._states.get(state.partition) is state:
            self._budget.end_gap(state.partition)
            # Its owner reads the votes in it again.
            del self._states[state.partition]

    async def _close_overdue(self, state: PartitionState) -> None:
        """Write a marker for passed deadlines; it takes effect when read, behind votes in time."""
        if self.full:
            # While reading stops, a marker would never be read, nor records in front of it. In this
            # case alone a request may be decided differently after a crash.
            state.join.close_head(self._clock())
        elif overdue := state.join.overdue(self._clock()):
            await self._close(DeadlineMarker(self._topic, state.partition, tuple(overdue)))

    def _seconds_to_wait(self, join: VoteJoin[VoteRecord]) -> float:
        # While reading stops, no markers are written, and passed deadlines remain the next ones.
        deadline = None if self.full else join.next_deadline()
        return LOOK_SECONDS if deadline is None else min(deadline - self._clock(), LOOK_SECONDS)
