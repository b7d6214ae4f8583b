"""What stands before a worker's start: a cluster that can be used, with the topics in it."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mode import Service

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.cluster import create_topics, create_votes, grow
from catdog_stream.kafka.looking import look, without_leader
from catdog_stream.metrics import count_broker_error
from catdog_stream.topics import REQUESTS

if TYPE_CHECKING:
    from catdog_stream.worker.application import CatDogApp

__all__ = ["ClusterGate"]

logger = logging.getLogger(__name__)


class ClusterGate(Service):
    """Holds the worker's start until a broker answers and the topics are there.

    Afterwards it tells whether the broker still answers.
    """

    def __init__(self, app: "CatDogApp", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
        #: Topic name to its number of partitions.
        self.partitions: Mapping[str, int] = {}
        #: Whether the worker has been let through.
        self.passed = False
        self._problem: str | None = "The Kafka cluster has not answered yet."
        self._looked_at = 0.0
        self._looking = asyncio.Lock()

    async def on_start(self) -> None:
        """Wait for the cluster."""
        said: str | None = None
        while not self.should_stop:
            try:
                cluster = self.app.settings.cluster
                self.partitions = await create_topics(cluster)
                if self.app.role.votes:
                    self.partitions = await create_votes(cluster, self.partitions[REQUESTS])
                await self._grow_changelogs()
            except BrokerError as error:
                self._problem = str(error)
                count_broker_error("cluster")
                if self._problem != said:
                    logger.warning("%s Trying again until it does.", self._problem)
                    said = self._problem
                await asyncio.sleep(deadlines.TRY_AGAIN)
            else:
                self._fit_tables()
                self._problem, self.passed = None, True
                return

    async def _grow_changelogs(self) -> None:
        """Follow topics that were given more partitions: Faust would refuse to start."""
        for name, topic in self.app.role.counted.items():
            changelog, wanted = (
                self.app.tables[name].changelog_topic.get_topic_name(),
                self.partitions[topic],
            )
            if 0 < self.partitions.get(changelog, 0) < wanted:
                logger.info("The topic %s gets %d partitions, as %s has.", changelog, wanted, topic)
                await grow(self.app.settings.cluster, changelog, wanted)

    def _fit_tables(self) -> None:
        """Shard each table as its topic is: Faust refuses to write one whose numbers differ."""
        for name, topic in self.app.role.counted.items():
            table = self.app.tables[name]
            table.partitions = table.changelog_topic.partitions = self.partitions[topic]

    async def problem_now(self) -> str | None:
        """Why the cluster cannot be used, as of the last two seconds; ``None`` if it can."""
        async with self._looking:
            if self.passed and time.monotonic() - self._looked_at > deadlines.LOOK_AGAIN:
                try:
                    async with asyncio.timeout(deadlines.LOOK):
                        self._problem = without_leader(await look(self.app.settings.cluster))
                except BrokerError as error:
                    self._problem = str(error)
                except TimeoutError:
                    self._problem = f"The broker did not answer in {deadlines.LOOK:g} s."
                self._looked_at = time.monotonic()
                if self._problem is not None:
                    count_broker_error("cluster")
            return self._problem
