"""A partition of the votes as a jury has it before it: the records, the docket, and whose it is."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.pipeline.voting.vote_join import VoteJoin

__all__ = ["LOOK_SECONDS", "PartitionState", "VoteRecord", "acknowledge"]

#: Seconds between two looks at what nothing tells of: partitions lost, requests that are not there.
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class VoteRecord:
    """A record of the votes, as it was read."""

    partition: int
    value: bytes | None
    #: Whether what was read of its partition is still this process's, to be decided now.
    is_current: Callable[[], bool]
    #: Counts the decision on the request at an offset of the partition, if that is still its.
    count: Callable[[int, Outcome], object]
    #: Acknowledges it, and all before it.
    acknowledge: Callable[[], Awaitable[object]]


async def acknowledge(vote_records: Sequence[VoteRecord]) -> None:
    """Acknowledge records of one partition, in its order."""
    for vote_record in vote_records:
        await vote_record.acknowledge()


class PartitionState:
    """A partition that is this process's, from when it was taken over.

    Args:
        docket: of its requests.
        paper: the first of its records.
    """

    def __init__(self, join: VoteJoin[VoteRecord], vote_record: VoteRecord) -> None:
        self.partition = vote_record.partition
        self.join = join
        self.is_current, self.count = vote_record.is_current, vote_record.count
        self._news = asyncio.Event()

    def tell(self) -> None:
        """There is news: something was put into the docket."""
        self._news.set()

    async def wait(self, seconds: float) -> None:
        """Wait for news, for so many seconds at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()
