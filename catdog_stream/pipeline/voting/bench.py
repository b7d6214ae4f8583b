"""A partition of the votes as a jury has it before it: the records, the docket, and whose it is."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.pipeline.voting.docket import Docket

__all__ = ["LOOK_SECONDS", "Bench", "Paper", "acknowledge"]

#: Seconds between two looks at what nothing tells of: partitions lost, requests that are not there.
LOOK_SECONDS = 0.5


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


async def acknowledge(papers: Sequence[Paper]) -> None:
    """Acknowledge records of one partition, in its order."""
    for paper in papers:
        await paper.acknowledge()


class Bench:
    """A partition that is this process's, from when it was taken over.

    Args:
        docket: of its requests.
        paper: the first of its records.
    """

    def __init__(self, docket: Docket[Paper], paper: Paper) -> None:
        self.partition = paper.partition
        self.docket = docket
        self.is_current, self.count = paper.is_current, paper.count
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
