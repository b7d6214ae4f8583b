"""Readiness of the cluster for a worker's start: it can be used and has the topics."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.cluster import ClusterMetadata
from faust.types.tables import CollectionT
from mode import Service

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError, Refusal
from catdog_stream.kafka.cluster import create_topics, create_votes, grow
from catdog_stream.kafka.cluster_facts import cluster_facts
from catdog_stream.kafka.probe import look, without_leader
from catdog_stream.kafka.topic_recreation import Needed, lacking, restore
from catdog_stream.kafka.topics import topic_configs
from catdog_stream.metrics import count_broker_error
from catdog_stream.settings import Settings
from catdog_stream.worker.cluster_checks import Finding, Level, findings
from catdog_stream.worker.needs import groups_of, topics_of
from catdog_stream.worker.roles import Role

__all__ = ["NOT_ANSWERED_YET", "ClusterReadiness", "cluster_findings"]

logger = logging.getLogger(__name__)

#: Problem of a worker that has just started.
NOT_ANSWERED_YET = "The Kafka cluster has not answered yet."


async def cluster_findings(settings: Settings, role: Role) -> Sequence[Finding]:
    """Read the facts of the cluster and compare them with the settings. Raise ``BrokerError``."""
    facts = await cluster_facts(settings.cluster, topics_of(role, settings), groups_of(role))
    return findings(settings, role, facts)


class ClusterReadiness(Service):
    """Service that delays the worker's start until a broker answers and the topics exist.

    After the start, it reports if the broker still answers, and recreates deleted topics.

    Args:
        settings: the settings of the worker.
        role: its role.
        tables: the tables of counts by name, which get the partitions of their topics.
    """

    def __init__(
        self,
        settings: Settings,
        role: Role,
        tables: Mapping[str, CollectionT],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._settings = settings
        self._role = role
        self._tables = tables
        #: Topic name to its number of partitions.
        self.partitions: Mapping[str, int] = {}
        #: ``True`` once the worker may start.
        self.passed = False
        self._problem: str | None = NOT_ANSWERED_YET
        self._looked_at = 0.0
        #: Topics that a running worker needs, by name.
        self._topics: Mapping[str, Needed] = {}
        #: Topics of ``_topics`` that have existed at least once.
        self._needed: dict[str, Needed] = {}
        #: Topics of ``_needed`` that lack partitions, with the number of partitions they have.
        self._lacking: Mapping[str, int] = {}
        #: Why the lost topics cannot be created.
        self._not_restored: str | None = None
        self._looking = asyncio.Lock()
        #: Findings already in the log.
        self._warned: set[Finding] = set()

    async def on_start(self) -> None:
        """Wait for the cluster."""
        said: str | None = None
        while not self.should_stop:
            try:
                cluster = self._settings.cluster
                self.partitions = await create_topics(cluster)
                if self._role.votes:
                    self.partitions = await create_votes(
                        cluster, self.partitions[cluster.names.requests]
                    )
                await self._grow_changelogs()
                await self._check()
            except BrokerError as error:
                self._problem = str(error)
                count_broker_error("cluster")
                if self._problem != said:
                    logger.warning("%s Trying again until it does.", self._problem)
                    said = self._problem
                await asyncio.sleep(deadlines.TRY_AGAIN)
            else:
                self._fit_tables()
                self._topics = self._topics_now()
                self._problem, self.passed = None, True
                return

    async def _check(self) -> None:
        """Compare the cluster with the settings. Raise ``BrokerError`` for an error."""
        found = await cluster_findings(self._settings, self._role)
        errors = [finding.sentence for finding in found if finding.level is Level.ERROR]
        for finding in found:
            if finding.level is Level.WARNING and finding not in self._warned:
                self._warned.add(finding)
                logger.warning("%s", finding.sentence)
        if errors:
            more = f" ({len(errors) - 1} more: worker --check has all.)" if errors[1:] else ""
            raise BrokerError(errors[0] + more, Refusal.CLUSTER)

    async def _grow_changelogs(self) -> None:
        """Extend changelogs to the partitions of their topics: Faust would refuse to start."""
        for name, topic in self._role.counted.items():
            changelog, wanted = (
                self._tables[name].changelog_topic.get_topic_name(),
                self.partitions[topic],
            )
            if 0 < self.partitions.get(changelog, 0) < wanted:
                logger.info("The topic %s gets %d partitions, as %s has.", changelog, wanted, topic)
                await grow(self._settings.cluster, changelog, wanted)

    def _fit_tables(self) -> None:
        """Set each table's partitions to its topic's: Faust refuses to write if they differ."""
        for name, topic in self._role.counted.items():
            table = self._tables[name]
            table.partitions = table.changelog_topic.partitions = self.partitions[topic]

    def _topics_now(self) -> Mapping[str, Needed]:
        """Return the topics that are read and written, with their configuration at the start."""
        configs = topic_configs(self._settings.cluster)
        names = self._settings.cluster.names
        topics = (*names.topics, names.votes) if self._role.votes else names.topics
        needed = {
            name: Needed(
                self.partitions[name], {key: str(value) for key, value in configs[name].items()}
            )
            for name in topics
        }
        for name in self._role.counted:
            changelog = self._tables[name].changelog_topic
            needed[changelog.get_topic_name()] = Needed(
                changelog.partitions or 1, {"cleanup.policy": "compact"}
            )
        return needed

    def _lost(self, metadata: ClusterMetadata) -> Mapping[str, int]:
        """Return the topics that have lost partitions, with the number of partitions they have.

        Only topics that have existed count: Faust creates the changelogs after the start.
        """
        if len(self._needed) < len(self._topics):
            there = self._topics.keys() - lacking(metadata, self._topics).keys()
            self._needed |= {name: self._topics[name] for name in there}
        return lacking(metadata, self._needed)

    @Service.task
    async def _restore_topics(self) -> None:
        """Recreate topics that are deleted while the worker runs."""
        while not self.should_stop:
            await self.sleep(deadlines.TRY_AGAIN)
            if not self._lacking:
                continue
            lost = {name: self._needed[name] for name in self._lacking}
            said = _gone(self._lacking, self._needed)
            try:
                await restore(self._settings.cluster, lost)
            except BrokerError as error:
                if self._not_restored != str(error):
                    logger.warning("%s %s", said, error)
                self._not_restored = str(error)
            else:
                logger.warning("%s They are created again.", said)
                self._not_restored = None
                self._lacking = {}

    async def problem_now(self) -> str | None:
        """Return why the cluster cannot be used, at most two seconds old; ``None`` if it can."""
        async with self._looking:
            if self.passed and time.monotonic() - self._looked_at > deadlines.LOOK_AGAIN:
                try:
                    async with asyncio.timeout(deadlines.LOOK):
                        metadata = await look(self._settings.cluster)
                        names = self._settings.cluster.names
                    self._lacking = self._lost(metadata)
                    self._problem = (
                        _gone(self._lacking, self._needed, self._not_restored)
                        if self._lacking
                        else without_leader(metadata, (*names.topics, names.votes))
                    )
                except BrokerError as error:
                    self._problem = str(error)
                except TimeoutError:
                    self._problem = f"The broker did not answer in {deadlines.LOOK:g} s."
                self._looked_at = time.monotonic()
                if self._problem is not None:
                    count_broker_error("cluster")
            return self._problem


def _gone(
    topics: Mapping[str, int], needed: Mapping[str, Needed], why_not: str | None = None
) -> str:
    """Return which topics were deleted, and what to do if the worker cannot recreate them."""
    said = "; ".join(
        f"{name} has {number} of {needed[name].partitions} partitions"
        for name, number in sorted(topics.items())
    )
    if why_not is None:
        return f"Topics were deleted while the worker runs: {said}."
    return (
        f"Topics were deleted while the worker runs, and it cannot create them: {said}. "
        f"Create them with that number of partitions. {why_not}"
    )
