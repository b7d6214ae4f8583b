"""Facts of a cluster that a worker depends on: topics, their limits, and the user's rights.

Reading them changes nothing. The worker's checks (``worker.cluster_checks``) compare them with the
settings.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    NoError,
    TopicAuthorizationFailedError,
    UnsupportedVersionError,
)

from catdog_stream.errors import BrokerError
from catdog_stream.kafka.authorized_operations import (
    DescribeGroupRights,
    DescribeTopicRights,
    rights_of,
)
from catdog_stream.kafka.cluster import admin, create
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import Access

__all__ = ["ClusterFacts", "TopicFacts", "cluster_facts"]

_NO_RIGHTS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """Topic that exists."""

    partitions: int
    #: Replicas of the partition that has the fewest.
    replicas: int = 1
    #: Configuration by Kafka's names; ``None`` if the user may not read it.
    config: Mapping[str, str] | None = None
    #: Rights of the user on the topic; ``None`` if Kafka does not state them.
    rights: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """Facts of a cluster at one moment."""

    brokers: int
    #: Topics that exist and may be described, by name.
    topics: Mapping[str, TopicFacts] = field(default_factory=dict)
    #: Topics that the user may not describe: they may or may not exist.
    hidden: Collection[str] = ()
    #: Why a topic that does not exist could not be created, by its name.
    not_creatable: Mapping[str, BrokerError] = field(default_factory=dict)
    #: Rights of the user on groups, by name; ``None`` if Kafka does not state them.
    groups: Mapping[str, Collection[str] | None] = field(default_factory=dict)
    #: Configuration of a broker; ``None`` if the user may not read it.
    broker_config: Mapping[str, str] | None = None


async def cluster_facts(
    cluster: ClusterConfig, topics: Sequence[NewTopic], groups: Sequence[str]
) -> ClusterFacts:
    """Read the facts about ``topics`` and ``groups``.

    Args:
        cluster: the cluster.
        topics: specifications to create them where they are missing; none is created.
        groups: names of consumer groups.

    Raises:
        BrokerError: no broker answers, or it stopped answering.
    """
    names = [topic.name for topic in topics]
    async with admin(cluster, Access.topic("Describe", *names)) as client:
        try:
            metadata = await client._send_request(DescribeTopicRights(names))
        except NotImplementedError:  # aiokafka raises it for a broker before 2.3
            raise UnsupportedVersionError from None
        found, hidden = {}, []
        for code, name, _internal, partitions, bits in metadata.topics:
            if code == TopicAuthorizationFailedError.errno:
                hidden.append(name)
            elif code == NoError.errno:
                found[name] = (partitions, rights_of(bits))
        broker = metadata.brokers[0][0]
        configs, broker_config, rights = await asyncio.gather(
            _topic_configs(client, found),
            _broker_config(client, broker),
            asyncio.gather(*(_group_rights(client, group) for group in groups)),
        )
    missing = [topic for topic in topics if topic.name not in found and topic.name not in hidden]
    return ClusterFacts(
        brokers=len(metadata.brokers),
        topics={
            name: TopicFacts(
                partitions=len(partitions),
                replicas=min((len(replicas) for *_, replicas, _isr, _off in partitions), default=0),
                config=configs.get(name),
                rights=rights_on,
            )
            for name, (partitions, rights_on) in found.items()
        },
        hidden=hidden,
        not_creatable=await _not_creatable(cluster, missing),
        groups=dict(zip(groups, rights, strict=True)),
        broker_config=broker_config,
    )


async def _topic_configs(
    client: AIOKafkaAdminClient, names: Collection[str]
) -> Mapping[str, Mapping[str, str]]:
    return await _configs(client, [ConfigResource(ConfigResourceType.TOPIC, n) for n in names])


async def _broker_config(client: AIOKafkaAdminClient, broker: int) -> Mapping[str, str] | None:
    try:
        found = await _configs(client, [ConfigResource(ConfigResourceType.BROKER, str(broker))])
    except KafkaError as error:
        if not error.retriable:
            raise
        return None  # this broker is down; the others may be enough
    return found.get(str(broker))


async def _configs(
    client: AIOKafkaAdminClient, resources: Sequence[ConfigResource]
) -> Mapping[str, Mapping[str, str]]:
    """Return the configurations that the user may read, by the resource's name."""
    found: dict[str, Mapping[str, str]] = {}
    for answer in await client.describe_configs(list(resources)) if resources else ():
        for code, _message, _kind, name, entries in answer.resources:
            if code == NoError.errno:
                found[name] = {key: value for key, value, *_ in entries if value is not None}
    return found


async def _group_rights(client: AIOKafkaAdminClient, group: str) -> Collection[str] | None:
    answer: Any = None
    try:
        coordinator = await client.find_coordinator(group)
        answer = await client._send_request(DescribeGroupRights(group), coordinator)
    except GroupAuthorizationFailedError:
        return _NO_RIGHTS
    except KafkaError as error:
        if not error.retriable:
            raise
        return None  # a new cluster has no coordinator before the first request for one
    ((code, *_, bits),) = answer.groups
    if code == GroupAuthorizationFailedError.errno:
        return _NO_RIGHTS
    return rights_of(bits) if code == NoError.errno else None


async def _not_creatable(
    cluster: ClusterConfig, topics: Sequence[NewTopic]
) -> Mapping[str, BrokerError]:
    """Return why topics could not be created, by name. Creates none."""
    refused: dict[str, BrokerError] = {}
    for topic in topics:
        try:
            await create(cluster, [topic], only_validate=True)
        except BrokerError as error:
            refused[topic.name] = error
    return refused
