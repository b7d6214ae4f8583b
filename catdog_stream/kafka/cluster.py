"""Before the application runs: wait for the Kafka cluster, and create the topics it lacks."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    InvalidPartitionsError,
    KafkaError,
    NoError,
    TopicAlreadyExistsError,
    for_code,
)
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth, server_list
from mode import Service

from catdog_stream.errors import BrokerError
from catdog_stream.kafka.looking import look, without_leader
from catdog_stream.kafka.unreachable import why_unreachable
from catdog_stream.topics import COUNTED, topic_configs

if TYPE_CHECKING:
    from catdog_stream.worker.application import CatDogApp

__all__ = [
    "ClusterGate",
    "connection",
    "create",
    "create_topics",
    "grow",
    "topic_partitions",
]

logger = logging.getLogger(__name__)

# Commands print one sentence when something fails; without a handler aiokafka's log would join
# it on stderr. A worker's own handlers still get what aiokafka logs.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())

RETRY_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 2.0
LOOK_TIMEOUT_SECONDS = 3.0
REQUEST_TIMEOUT_MS = 10_000
#: Seconds for a topic that was created to be known; Kafka takes a fraction of one.
KNOWN_SECONDS = 10.0
KNOWN_POLL_SECONDS = 0.02


def connection(app: "CatDogApp", address: str | None = None) -> dict[str, Any]:
    """Keyword arguments of aiokafka's clients, to reach the cluster or one ``host:port``."""
    return {
        "bootstrap_servers": address or server_list(app.conf.broker, 9092),
        "client_id": app.conf.broker_client_id,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        **credentials_to_aiokafka_auth(app.conf.broker_credentials, app.conf.ssl_context),
    }


def addresses(app: "CatDogApp") -> str:
    """The cluster's addresses, for people."""
    return ", ".join(str(url) for url in app.conf.broker)


async def topic_partitions(app: "CatDogApp", address: str | None = None) -> Mapping[str, int]:
    """Number of partitions of every topic that exists.

    Raises:
        BrokerError: no broker answers, or it does not let us in.
    """
    arguments = connection(app, address)
    client = AIOKafkaClient(**arguments)
    try:
        await client.bootstrap()
        metadata = await client.fetch_all_metadata()
    except (KafkaError, OSError) as error:
        raise BrokerError(await why_unreachable(arguments, address or addresses(app))) from error
    finally:
        await client.close()
    return {topic: len(metadata.partitions_for_topic(topic) or ()) for topic in metadata.topics()}


async def create_topics(app: "CatDogApp", address: str | None = None) -> Mapping[str, int]:
    """Create the topics that are missing; returns the number of partitions of every topic.

    Args:
        app: whose topics and whose cluster.
        address: ``host:port`` of a broker to use in place of the app's cluster.

    Raises:
        BrokerError: no broker answers, it refuses, or does not tell of what it created.
    """
    settings = app.settings
    configs = topic_configs(settings)
    known = await topic_partitions(app, address)
    missing = [
        NewTopic(
            name,
            settings.partitions,
            settings.replicas,
            topic_configs={key: str(value) for key, value in config.items()},
        )
        for name, config in configs.items()
        if name not in known
    ]
    if missing:
        await create(app, missing, address)
    # Kafka creates a topic before each of its brokers tells of it.
    end = time.monotonic() + KNOWN_SECONDS
    while unknown := [name for name in configs if not known.get(name)]:
        if time.monotonic() > end:
            raise BrokerError(f"The broker tells nothing of the topics {', '.join(unknown)}.")
        await asyncio.sleep(KNOWN_POLL_SECONDS)
        known = await topic_partitions(app, address)
    return known


async def create(app: "CatDogApp", topics: Sequence[NewTopic], address: str | None = None) -> None:
    """Create ``topics``, but for those that exist by now. Raises ``BrokerError``."""
    admin = AIOKafkaAdminClient(**connection(app, address))
    try:
        await admin.start()
        response = await admin.create_topics(topics)
    except (KafkaError, OSError) as error:
        raise BrokerError(f"The topics cannot be created: {error}.") from error
    finally:
        await admin.close()
    for name, code, *_ in response.topic_errors:
        if code not in (NoError.errno, TopicAlreadyExistsError.errno):
            raise BrokerError(f"The topic {name} cannot be created: {for_code(code).__name__}.")


async def grow(app: "CatDogApp", topic: str, partitions: int) -> None:
    """See to it that ``topic``, which exists, has so many partitions at least.

    Returns once they are known. Raises ``BrokerError``.
    """
    admin = AIOKafkaAdminClient(**connection(app))
    try:
        await admin.start()
        await admin.create_partitions({topic: NewPartitions(partitions)})
    except InvalidPartitionsError:
        pass  # it has them, or another worker was faster
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(
            f"The topic {topic} cannot get {partitions} partitions: {error}."
        ) from error
    finally:
        await admin.close()
    end = time.monotonic() + KNOWN_SECONDS
    while (await topic_partitions(app)).get(topic, 0) < partitions:
        if time.monotonic() > end:
            raise BrokerError(
                f"The topic {topic} has fewer than {partitions} partitions, and gets no more."
            )
        await asyncio.sleep(KNOWN_POLL_SECONDS)


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
                self.partitions = await create_topics(self.app)
                await self._grow_changelogs()
            except BrokerError as error:
                self._problem = str(error)
                if self._problem != said:
                    logger.warning("%s Trying again until it does.", self._problem)
                    said = self._problem
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._fit_tables()
                self._problem, self.passed = None, True
                return

    async def _grow_changelogs(self) -> None:
        """Follow topics that were given more partitions: Faust would refuse to start."""
        for name, topic in COUNTED.items():
            changelog, wanted = (
                self.app.tables[name].changelog_topic.get_topic_name(),
                self.partitions[topic],
            )
            if 0 < self.partitions.get(changelog, 0) < wanted:
                logger.info("The topic %s gets %d partitions, as %s has.", changelog, wanted, topic)
                await grow(self.app, changelog, wanted)

    def _fit_tables(self) -> None:
        """Shard each table as its topic is: Faust refuses to write one whose numbers differ."""
        for name, topic in COUNTED.items():
            table = self.app.tables[name]
            table.partitions = table.changelog_topic.partitions = self.partitions[topic]

    async def problem_now(self) -> str | None:
        """Why the cluster cannot be used, as of the last two seconds; ``None`` if it can."""
        async with self._looking:
            if self.passed and time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS:
                try:
                    async with asyncio.timeout(LOOK_TIMEOUT_SECONDS):
                        self._problem = without_leader(
                            await look(connection(self.app), addresses(self.app))
                        )
                except BrokerError as error:
                    self._problem = str(error)
                except TimeoutError:
                    self._problem = f"The broker did not answer in {LOOK_TIMEOUT_SECONDS:g} s."
                self._looked_at = time.monotonic()
            return self._problem
