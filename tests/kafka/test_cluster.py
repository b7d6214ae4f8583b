"""Tests that topics exist, and that the brokers list them, before they are used."""

import asyncio
from collections.abc import Iterator, Mapping

import pytest
from aiokafka.admin import NewTopic
from aiokafka.cluster import ClusterMetadata
from aiokafka.structs import PartitionMetadata

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError
from catdog_stream.kafka import cluster
from catdog_stream.kafka.probe import without_leader
from catdog_stream.settings import Settings
from tests.support.names import LABELS, REJECTED, REQUESTS


class SlowCluster:
    """Cluster that lists new topics late. A real one does so, too, but not on demand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *told: Mapping[str, int]) -> None:
        self._told: Iterator[Mapping[str, int]] = iter(told)
        self._last: Mapping[str, int] = {}
        self.created: list[str] = []
        monkeypatch.setattr(cluster, "topic_partitions", self._tell)
        monkeypatch.setattr(cluster, "create", self._create)

    async def _tell(self, *_: object) -> Mapping[str, int]:
        self._last = next(self._told, self._last)
        return self._last

    async def _create(self, _cluster: object, topics: list[NewTopic]) -> None:
        self.created += [topic.name for topic in topics]


def test_whoever_creates_topics_waits_until_their_partitions_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {REQUESTS: 8, LABELS: 8, REJECTED: 8}
    kafka = SlowCluster(
        monkeypatch, {LABELS: 8}, {LABELS: 8}, {**known, REJECTED: 0}, known, {REQUESTS: 1}
    )
    assert asyncio.run(cluster.create_topics(Settings().cluster)) == known
    assert kafka.created == [REQUESTS, REJECTED]


def test_it_says_what_never_came(monkeypatch: pytest.MonkeyPatch) -> None:
    SlowCluster(monkeypatch, {LABELS: 8, REQUESTS: 8})
    monkeypatch.setattr(deadlines, "TOPIC_KNOWN", 0.1)
    with pytest.raises(BrokerError, match=f"does not list the topics {REJECTED}"):
        asyncio.run(cluster.create_topics(Settings().cluster))


def test_a_partition_that_nobody_leads_is_named() -> None:
    metadata = ClusterMetadata()
    metadata._partitions = {
        REQUESTS: {0: partition(REQUESTS, 0, leader=1), 1: partition(REQUESTS, 1, leader=-1)},
        "of-somebody-else": {0: partition("of-somebody-else", 0, leader=-1)},
    }
    assert (
        without_leader(metadata, (REQUESTS, LABELS))
        == f"No broker leads the partition {REQUESTS}/1."
    )
    metadata._partitions[LABELS] = {0: partition(LABELS, 0, leader=-1)}
    assert without_leader(metadata, (REQUESTS, LABELS)) == (
        f"No broker leads the partition {REQUESTS}/1 and 1 more."
    )


def partition(topic: str, number: int, leader: int) -> PartitionMetadata:
    """Return a broker's description of a partition."""
    return PartitionMetadata(topic, number, leader, [1], [1], None)
