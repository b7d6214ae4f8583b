"""Status of a rollout: which running workers serve the deployment, and which do not."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from aiokafka.errors import KafkaError

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.cluster import admin, group_urls
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.deployments import MAX_REPORTS, Deployment, Report, follow
from catdog_stream.kafka.explanations import Access

__all__ = ["Outcome", "Running", "outcome", "running"]

#: Seconds between two checks of which workers run.
LOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Running:
    """Workers that run."""

    #: Their addresses.
    workers: frozenset[str]
    #: Number of workers without an address: partitions are moving.
    nameless: int = 0

    def __bool__(self) -> bool:
        return bool(self.workers or self.nameless)


@dataclass(slots=True)
class Outcome:
    """Result of a deployment."""

    running: Running
    #: Last report of each worker on it, also of workers that have ended since.
    received: dict[str, Report] = field(default_factory=dict)
    #: The deployment that came after it.
    superseded: Deployment | None = None

    @property
    def reports(self) -> Mapping[str, Report | None]:
        """Report of each running worker; ``None`` for a worker without a report."""
        return {worker: self.received.get(worker) for worker in sorted(self.running.workers)}

    @property
    def served(self) -> bool:
        """True if every running worker serves the deployed stack."""
        return not self.running.nameless and all(
            report is not None and report.done and report.problem is None
            for report in self.reports.values()
        )

    def is_settled(self, *, is_overdue: bool) -> bool:
        """Return whether there is nothing more to wait for.

        Args:
            is_overdue: true if a worker without a report by now does not follow deployments.
        """
        if self.superseded is not None:
            return True
        if any(report is not None and not report.done for report in self.reports.values()):
            return False
        return is_overdue or (not self.running.nameless and None not in self.reports.values())


async def running(cluster: ClusterConfig, voter: str | None = None) -> Running:
    """Return the workers that run now, or the voters of a name. Raises ``BrokerError``."""
    end = time.monotonic() + deadlines.TOPIC_KNOWN
    async with admin(cluster, Access.group("Describe", cluster.names.group_of(voter))) as client:
        while True:
            try:
                urls = await group_urls(client, cluster.names.group_of(voter))
                break
            except KafkaError as error:
                # A new cluster creates its topic of groups at the first request, and a broker
                # that has just become the coordinator must read that topic first.
                if not error.retriable or time.monotonic() > end:
                    raise
                await asyncio.sleep(deadlines.TRY_AGAIN)
    workers = frozenset(url.rstrip("/") for url in urls if url is not None)
    return Running(workers, urls.count(None))


async def outcome(
    cluster: ClusterConfig, deployment: Deployment, voter: str | None = None
) -> Outcome:
    """Wait until every worker has reported on a new deployment, or time is up.

    Workers that end are dropped once the group has noticed; workers that start are waited for.
    Raises ``BrokerError``.
    """
    found = Outcome(await running(cluster, voter))
    loop = asyncio.get_running_loop()
    overdue, end = loop.time() + deadlines.RECEIVED, loop.time() + deadlines.ROLLED_OUT
    listening = asyncio.ensure_future(_listen(cluster, deployment, found, voter))
    try:
        while loop.time() < end and not found.is_settled(is_overdue=loop.time() > overdue):
            if listening.done():
                # Start the next one only if more is to come: aiokafka leaks the connection of a
                # consumer whose start is cancelled.
                listening.result()
                listening = asyncio.ensure_future(_listen(cluster, deployment, found, voter))
            await asyncio.wait((listening,), timeout=LOOK_SECONDS)
            if found.superseded is None:
                found.running = await running(cluster, voter)
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError, BrokerError):
            await listening
    return found


async def _listen(
    cluster: ClusterConfig, deployment: Deployment, found: Outcome, voter: str | None
) -> None:
    """Read reports into ``found``; return once there is nothing more to wait for."""
    async with aclosing(follow(cluster, deployment.offset + 1, voter)) as stream:
        async for record in stream:
            if isinstance(record, Deployment):
                found.superseded = record
            elif record.order == deployment.offset and len(found.received) < MAX_REPORTS:
                found.received[record.worker.rstrip("/")] = record
            if found.is_settled(is_overdue=False):
                return
