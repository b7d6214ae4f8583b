"""State of a partition of votes in a jury: the join of its votes, and its ownership."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.pipeline.voting.vote_join import VoteJoin

__all__ = ["LOOK_SECONDS", "PartitionState", "VoteRecord", "acknowledge"]

#: Seconds between two checks without an event: for lost partitions, and for missing requests.
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class VoteRecord:
    """Record of a vote, as it was read."""

    partition: int
    value: bytes | None
    #: Returns true if this process still owns the partition, and may decide its requests now.
    is_current: Callable[[], bool]
    #: Counts the decision on the request at an offset, if this process still owns the partition.
    count: Callable[[int, Outcome], object]
    #: Acknowledges this record and all before it.
    acknowledge: Callable[[], Awaitable[object]]


async def acknowledge(vote_records: Sequence[VoteRecord]) -> None:
    """Acknowledge records of one partition, in its order."""
    for vote_record in vote_records:
        await vote_record.acknowledge()


class PartitionState:
    """State of a partition that this process owns, from the time it was taken over.

    Args:
        join: join of the partition's votes.
        vote_record: first record of the partition.
    """

    def __init__(self, join: VoteJoin[VoteRecord], vote_record: VoteRecord) -> None:
        self.partition = vote_record.partition
        self.join = join
        self.is_current, self.count = vote_record.is_current, vote_record.count
        self._changed = asyncio.Event()

    def notify(self) -> None:
        """Notify the waiting task that a record was added to the join."""
        self._changed.set()

    async def wait(self, seconds: float) -> None:
        """Wait for a notification, for at most ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()
