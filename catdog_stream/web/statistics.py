"""Statistics of the whole cluster: this worker's shards and those of the others, added up."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
from faust.exceptions import ConsumerNotStarted

from catdog_stream import deadlines
from catdog_stream.delivery.committed_table import CommittedTable

if TYPE_CHECKING:
    from catdog_stream.worker.application import CatDogApp

__all__ = ["SHARDS_PATH", "Statistics", "cluster_statistics", "local_shards", "summed"]

logger = logging.getLogger(__name__)

SHARDS_PATH = "/shards/"

#: ``labels`` and ``rejections`` to the partition of a topic to what was counted in it.
Shards = Mapping[str, Mapping[str, Mapping[str, int]]]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of the cluster, and how many of its workers they come from."""

    labels: Mapping[str, int]
    rejections: Mapping[str, int]
    asked: int
    answered: int

    @property
    def total(self) -> int:
        """Labelled requests."""
        return sum(self.labels.values())

    @property
    def rejected(self) -> int:
        """Rejected requests."""
        return sum(self.rejections.values())


def summed(answers: Iterable[Shards | None]) -> Statistics:
    """Add up the answers of all workers; ``None`` stands for one that did not answer.

    While partitions move, two workers may both show a partition: the one that has counted more
    of it is right, since counts only grow.
    """
    shards: dict[tuple[str, str], Mapping[str, int]] = {}
    asked = answered = 0
    for answer in answers:
        asked += 1
        if answer is None:
            continue
        answered += 1
        for table, partitions in answer.items():
            for partition, counts in partitions.items():
                known = shards.get((table, partition), {})
                if sum(counts.values()) > sum(known.values()):
                    shards[table, partition] = counts
    totals: dict[str, Counter[str]] = {"labels": Counter(), "rejections": Counter()}
    for (table, _), counts in shards.items():
        totals[table].update(counts)
    return Statistics(totals["labels"], totals["rejections"], asked, answered)


def local_shards(app: "CatDogApp", tables: Iterable[CommittedTable]) -> Shards | None:
    """The counts of the partitions that this worker owns; ``None`` while they may be incomplete."""
    if not app.settled:
        return None
    try:
        assignment = app.consumer.assignment()
    except ConsumerNotStarted:
        return None
    shards: dict[str, dict[str, Mapping[str, int]]] = {"labels": {}, "rejections": {}}
    for table in tables:
        owned = {tp.partition for tp in assignment if tp.topic == table.follows}
        for partition, shard in table.items():
            if partition in owned:
                place = f"{table.follows}/{partition}"
                shards["labels"][place] = shard["labels"]
                shards["rejections"][place] = shard["rejections"]
    return shards


async def cluster_statistics(app: "CatDogApp", own: Shards | None) -> Statistics:
    """Ask every other worker that Faust's router knows for its shards and add them to ``own``."""
    me = str(app.conf.canonical_url).rstrip("/")
    peers = {str(url).rstrip("/") for url in app.router.tables_metadata()} - {me}
    others = await asyncio.gather(*(_ask(app, peer) for peer in sorted(peers)))
    return summed((own, *others))


async def _ask(app: "CatDogApp", peer: str) -> Shards | None:
    timeout = aiohttp.ClientTimeout(total=deadlines.PEER)
    try:
        async with app.http_client.get(peer + SHARDS_PATH, timeout=timeout) as response:
            if response.status != 200:
                return None
            return _shards(orjson.loads(await response.read()))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        logger.warning("The worker at %s did not tell its counts: %r", peer, error)
        return None


def _shards(document: Any) -> Shards:
    """Check the shape of a peer's answer; raises ``ValueError``."""
    try:
        return {
            table: {
                str(partition): {str(name): int(count) for name, count in counts.items()}
                for partition, counts in document[table].items()
            }
            for table in ("labels", "rejections")
        }
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("not a worker's shards") from error
