"""Topics of a cluster: list, create and enlarge them; and the members and offsets of groups."""

import asyncio
import logging
import struct
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from aiokafka.errors import (
    InvalidPartitionsError,
    KafkaError,
    NoError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError, Refusal
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import Access, broker_error, explained
from catdog_stream.kafka.topics import topic_configs
from catdog_stream.kafka.unreachable import why_unreachable

__all__ = [
    "admin",
    "create",
    "create_compacted",
    "create_kept",
    "create_topics",
    "create_votes",
    "group_members",
    "group_offsets",
    "group_urls",
    "grow",
    "new_topic",
    "topic_partitions",
]

# Commands print one sentence when something fails. Without a handler, aiokafka's log would appear
# beside that sentence on stderr. A worker's own handlers still receive aiokafka's log.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())

KNOWN_POLL_SECONDS = 0.02
#: What to do about a topic that is missing, or too small, and must not be changed.
CREATE_IT = "CATDOG_CREATE_TOPICS is off, so create it. catdog-stream worker --check lists all."
#: Fields of a group's description and of a member's, in every version of the answer.
_ERROR, _MEMBERS, _METADATA = 0, 5, 3


async def topic_partitions(cluster: ClusterConfig, *names: str) -> Mapping[str, int]:
    """Return the number of partitions of every topic that the user may see.

    Kafka leaves out the topics that the user may not see, as if they did not exist. Only a topic
    in ``names`` that is missing from the result is known not to exist.

    Args:
        cluster: the cluster.
        names: topics whose existence the caller needs to know.

    Raises:
        BrokerError: no broker answers, it refuses the login, or it hides a topic in ``names``.
    """
    client = AIOKafkaClient(**cluster.connection)
    try:
        await client.bootstrap()
        metadata = await client.fetch_all_metadata()
        hidden = await _hidden(client, [name for name in names if name not in metadata.topics()])
    except (KafkaError, OSError, UnicodeError) as error:
        raise BrokerError(await why_unreachable(cluster)) from error
    finally:
        await client.close()
    if hidden:
        refused = TopicAuthorizationFailedError()
        raise broker_error(refused, cluster, Access.topic("Describe", *hidden))
    return {topic: len(metadata.partitions_for_topic(topic) or ()) for topic in metadata.topics()}


async def _hidden(client: AIOKafkaClient, names: Sequence[str]) -> list[str]:
    """Return the members of ``names`` that the user may not see. Raises ``KafkaError``."""
    if not names:
        return []
    request = MetadataRequest(list(names), allow_auto_topic_creation=False)
    answer = await client.send(client.get_random_node(), request)
    return [
        name for code, name, *_ in answer.topics if for_code(code) is TopicAuthorizationFailedError
    ]


async def create_topics(cluster: ClusterConfig) -> Mapping[str, int]:
    """Create the topics that are missing; return the number of partitions of every topic.

    Raises:
        BrokerError: no broker answers, it refuses, or it does not list a topic it created.
    """
    known = await topic_partitions(cluster, *cluster.names.topics)
    missing = [
        new_topic(cluster, name, cluster.partitions)
        for name in cluster.names.topics
        if name not in known
    ]
    if missing:
        await create(cluster, missing)
    return await _wait_until_listed(cluster, cluster.names.topics, known)


async def create_votes(cluster: ClusterConfig, requests: int) -> Mapping[str, int]:
    """Ensure that the topic of votes has a partition for each of the ``requests``.

    Return the number of partitions of every topic. Raises ``BrokerError``.
    """
    known = await topic_partitions(cluster, cluster.names.votes)
    if cluster.names.votes not in known:
        await create(cluster, [new_topic(cluster, cluster.names.votes, requests)])
        known = await _wait_until_listed(cluster, (cluster.names.votes,), known)
    if known[cluster.names.votes] < requests:
        await grow(cluster, cluster.names.votes, requests)
        known = await topic_partitions(cluster)
    return known


def new_topic(cluster: ClusterConfig, name: str, partitions: int) -> NewTopic:
    """Return the specification to create a topic of this application."""
    config = topic_configs(cluster)[name]
    settings = {key: str(value) for key, value in config.items()}
    return NewTopic(name, partitions, cluster.replicas, topic_configs=settings)


async def _wait_until_listed(
    cluster: ClusterConfig, topics: Sequence[str], known: Mapping[str, int]
) -> Mapping[str, int]:
    """Wait until the cluster lists ``topics``: a new topic is not known to every broker at once."""
    end = time.monotonic() + deadlines.TOPIC_KNOWN
    while unknown := [name for name in topics if not known.get(name)]:
        if time.monotonic() > end:
            raise BrokerError(
                f"Kafka does not list the topics {', '.join(unknown)}: "
                f"{cluster.security.user} may lack the right Describe on them."
            )
        await asyncio.sleep(KNOWN_POLL_SECONDS)
        known = await topic_partitions(cluster)
    return known


async def create(
    cluster: ClusterConfig, topics: Sequence[NewTopic], *, only_validate: bool = False
) -> None:
    """Create ``topics``, except those that exist by now. Raises ``BrokerError``.

    Args:
        cluster: the cluster.
        topics: the caller has checked that none of them exists.
        only_validate: ask Kafka if it would create them, and create nothing.
    """
    if not (only_validate or cluster.create_topics):
        listed = ", ".join(topic.name for topic in topics)
        raise BrokerError(f"Kafka has no topic {listed}: {CREATE_IT}", Refusal.CLUSTER)
    client = AIOKafkaAdminClient(**cluster.connection)
    try:
        await client.start()
        response = await client.create_topics(topics, validate_only=only_validate)
    except (KafkaError, OSError) as error:
        names = [topic.name for topic in topics]
        raise broker_error(error, cluster, Access.topic("Create", *names)) from error
    finally:
        await client.close()
    for name, code, *_ in response.topic_errors:
        if code not in (NoError.errno, TopicAlreadyExistsError.errno):
            raise broker_error(for_code(code)(), cluster, Access.topic("Create", name))


async def create_compacted(cluster: ClusterConfig, topic: str) -> None:
    """Create a topic of one partition that keeps the last record of each key, if it is missing.

    Raises:
        BrokerError: no broker answers, or it refuses.
    """
    if topic not in await topic_partitions(cluster, topic):
        config = {"cleanup.policy": "compact"}
        await create(cluster, [NewTopic(topic, 1, cluster.replicas, topic_configs=config)])


async def create_kept(cluster: ClusterConfig, topic: str, partitions: int) -> int:
    """Create a topic for answers that deletes no record, if it is missing.

    Return the number of its partitions.

    Raises:
        BrokerError: no broker answers, or it refuses.
    """
    known = await topic_partitions(cluster, topic)
    if topic not in known:
        config = {
            # The defaults of the brokers may delete records, too.
            **{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"},
            "max.message.bytes": str(cluster.max_answer_bytes),
        }
        await create(cluster, [NewTopic(topic, partitions, cluster.replicas, topic_configs=config)])
        known = await _wait_until_listed(cluster, (topic,), known)
    return known[topic]


@asynccontextmanager
async def admin(
    cluster: ClusterConfig, access: Access | None = None
) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield a client that reads groups and their offsets. Raises ``BrokerError``.

    Args:
        cluster: the cluster.
        access: operation of the block, for the error message if Kafka refuses it.
    """
    client = AIOKafkaAdminClient(**cluster.connection)
    try:
        with explained(cluster, access):
            await client.start()
            yield client
    finally:
        await client.close()


async def group_offsets(
    client: AIOKafkaAdminClient, group: str
) -> Mapping[TopicPartition, OffsetAndMetadata]:
    """Return the committed offsets of a group, with their metadata. Raises ``KafkaError``."""
    # aiokafka's own method reports a refusal as a group that has committed nothing.
    coordinator = await client.find_coordinator(group)
    answer = await client._send_request(OffsetFetchRequest(group, None), coordinator)
    _raise_for(getattr(answer, "error_code", 0), group)
    offsets = {}
    for topic, partitions in answer.topics:
        for partition, offset, metadata, code in partitions:
            _raise_for(code, topic)
            offsets[TopicPartition(topic, partition)] = OffsetAndMetadata(offset, metadata)
    return offsets


def _raise_for(code: int, name: str) -> None:
    if code:
        raise for_code(code)(name)


async def group_members(client: AIOKafkaAdminClient, group: str) -> int:
    """Return the number of members of a group. Raises ``KafkaError``."""
    return len(await _members(client, group))


async def group_urls(client: AIOKafkaAdminClient, group: str) -> list[str | None]:
    """Return the address of each member of a Faust group; ``None`` if a member states none.

    Raises ``KafkaError``.
    """
    return [_url(member[_METADATA]) for member in await _members(client, group)]


async def _members(client: AIOKafkaAdminClient, group: str) -> Sequence[Sequence[Any]]:
    (answer,) = await client.describe_consumer_groups([group])
    for description in answer.groups:
        _raise_for(description[_ERROR], group)
    return [member for description in answer.groups for member in description[_MEMBERS]]


def _url(metadata: bytes) -> str | None:
    """Return the address in the metadata of Faust's assignor, which is missing in a rebalance."""
    try:
        url = orjson.loads(ConsumerProtocolMemberMetadata.decode(metadata).user_data)["url"]
    except (ValueError, TypeError, KeyError, struct.error):
        return None
    return url if isinstance(url, str) else None


async def grow(cluster: ClusterConfig, topic: str, partitions: int) -> None:
    """Ensure that ``topic``, which exists, has at least ``partitions`` partitions.

    Return once the cluster lists them. Raises ``BrokerError``.
    """
    if not cluster.create_topics:
        raise BrokerError(
            f"The topic {topic} has fewer than {partitions} partitions, and CATDOG_CREATE_TOPICS "
            "is off: extend it.",
            Refusal.CLUSTER,
        )
    client = AIOKafkaAdminClient(**cluster.connection)
    try:
        await client.start()
        await client.create_partitions({topic: NewPartitions(partitions)})
    except InvalidPartitionsError:
        pass  # it has them, or another worker was faster
    except (KafkaError, OSError, TimeoutError) as error:
        raise broker_error(error, cluster, Access.topic("Alter", topic)) from error
    finally:
        await client.close()
    end = time.monotonic() + deadlines.TOPIC_KNOWN
    while (await topic_partitions(cluster)).get(topic, 0) < partitions:
        if time.monotonic() > end:
            raise BrokerError(
                f"The topic {topic} has fewer than {partitions} partitions, and gets no more."
            )
        await asyncio.sleep(KNOWN_POLL_SECONDS)
