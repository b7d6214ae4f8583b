"""Decision and publishing of the request at the head of a partition.

Before a decision, it verifies that the request exists, and that no request in front of it was
skipped. Otherwise a forged vote, or a voter that started later than the others, could make the
jury forget requests.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol

from catdog_stream import metrics
from catdog_stream.errors import BrokerError, RejectedRequest
from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.models.vote_rules import Rule
from catdog_stream.pipeline.ordered_publisher import Job, OrderedPublisher
from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.pipeline.timings import Timings
from catdog_stream.pipeline.voting.absence import Absence
from catdog_stream.pipeline.voting.decision import Decision
from catdog_stream.pipeline.voting.partition_state import LOOK_SECONDS, PartitionState, acknowledge
from catdog_stream.pipeline.voting.vote_budget import VoteBudget
from catdog_stream.pipeline.voting.vote_join import Undecided

__all__ = ["Decider", "Requests"]

logger = logging.getLogger(__name__)


class Requests(Protocol):
    """Lookup of the requests that are voted on."""

    async def exists(self, partition: int, offset: int) -> bool:
        """Return whether the partition's end is behind ``offset``. Raises ``BrokerError``."""

    async def next_from(self, partition: int, offset: int) -> int:
        """Return the offset of the next request from ``offset`` on. Raises ``BrokerError``."""

    async def read(self, source: Source) -> Incoming | None:
        """Return the request; ``None`` if it was deleted. Raises ``BrokerError``."""


class Decider:
    """Decider of the requests of each partition, one at a time.

    Args:
        rule: combines votes to a verdict.
        deadline: seconds to wait for a request that does not exist yet.
        topic: topic of the requests.
        answering: publishes the decisions.
        requests: lookup of the requests.
        budget: memory budget, which is notified of gaps.
        absence: notified of the voters that are missing from each decision.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        *,
        rule: Rule,
        deadline: float,
        topic: str,
        answering: OrderedPublisher[Job],
        requests: Requests,
        budget: VoteBudget,
        absence: Absence,
        clock: Callable[[], float],
    ) -> None:
        self._rule = rule
        self._deadline = deadline
        self._topic = topic
        self._answering = answering
        self._requests = requests
        self._budget = budget
        self._clock = clock
        self._absence = absence
        #: Classes of the voters, from the last verdict; empty before the first verdict.
        self.classes: tuple[str, ...] = ()

    async def decide(self, state: PartitionState) -> bool:
        """Decide the complete request at the head; return false if it cannot be decided yet.

        The caller has reserved a slot of ``answering`` for it, which is used or released.
        """
        job = None
        try:
            if await self._is_next(state):
                job = await self._decided(state)
        finally:
            if job is None or not state.is_current():
                self._answering.release_slot()
        if job is not None and state.is_current():
            self._answering.append(job)
        return job is not None

    async def _is_next(self, state: PartitionState) -> bool:
        """Return whether the request at the head exists and none in front of it is undecided."""
        join = state.join
        head = join.head
        assert head is not None
        try:
            if not await self._requests.exists(state.partition, head.offset):
                await self._look_away(state, head)
                return False
            if join.first is None or join.first == head.offset:
                return join.head is head  # meanwhile a vote on an earlier request may have come
            found = await self._requests.next_from(state.partition, join.first)
        except BrokerError as error:
            logger.warning("Requests cannot be looked up: %s Trying again.", error)
            return False
        if found < head.offset and self._has_waited(head):
            self._budget.begin_gap(Source(self._topic, state.partition, found))
        return found >= head.offset and join.head is head

    async def _look_away(self, state: PartitionState, head: Undecided) -> None:
        """Drop votes on a request that does not exist, after the deadline for it to appear."""
        if self._has_waited(head) and state.join.head is head:
            source = str(Source(self._topic, state.partition, head.offset))
            logger.warning("There is no request %s.", source, extra={"source": source})
            state.join.drop()
            await acknowledge(state.join.free())

    def _has_waited(self, head: Undecided) -> bool:
        return self._clock() - head.since > self._deadline

    async def _decided(self, state: PartitionState) -> Job:
        decision = state.join.take()
        self._budget.end_gap(state.partition)
        self._absence.note(decision.missing)
        outcome = decision.outcome(self._rule)
        metrics.DECISIONS.labels("incomplete" if decision.missing else "complete").inc()
        if isinstance(outcome, RejectedRequest):
            incoming = await self._whole(decision, state)
        else:
            incoming = decision.votes[0].incoming()
            self.classes = tuple(outcome.verdict.scores)
        timings = Timings(taken=decision.since, voted=self._clock())
        offset = decision.votes[0].source.offset
        job = Job(incoming, partial(_settle, state, offset), timings=timings)
        job.outcome.set_result(outcome)
        return job

    async def _whole(self, decision: Decision, state: PartitionState) -> Incoming:
        """Return the request with its own bytes, for its rejection, if it still exists."""
        while state.is_current():
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


async def _settle(state: PartitionState, offset: int, outcome: Outcome) -> None:
    """Count the decision, and acknowledge the records that nothing waits for any more.

    If a commit comes in between, the decision is counted and its votes are read again, as late.
    """
    state.count(offset, outcome)
    await acknowledge(state.join.settle(offset))
