"""What can be asked of the Kafka cluster before the application runs: is it there, what is in it."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import faust
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth, server_list
from mode import Service

from catdog_stream.errors import BrokerError

__all__ = ["ClusterGate", "connection", "topic_partitions"]

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
REQUEST_TIMEOUT_MS = 10_000


def connection(app: faust.App) -> dict[str, Any]:
    """How to reach the cluster, as keyword arguments of aiokafka's clients."""
    return {
        "bootstrap_servers": server_list(app.conf.broker, 9092),
        "client_id": app.conf.broker_client_id,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        **credentials_to_aiokafka_auth(app.conf.broker_credentials, app.conf.ssl_context),
    }


async def topic_partitions(app: faust.App) -> Mapping[str, int]:
    """Number of partitions of every topic that exists.

    Raises:
        BrokerError: no broker answers.
    """
    client = AIOKafkaClient(**connection(app))
    try:
        await client.bootstrap()
        metadata = await client.fetch_all_metadata()
    except (KafkaError, OSError) as error:
        addresses = ", ".join(str(url) for url in app.conf.broker)
        raise BrokerError(
            f"No Kafka broker answers at {addresses} ({error}); CATDOG_BROKER names another one."
        ) from error
    finally:
        await client.close()
    return {topic: len(metadata.partitions_for_topic(topic) or ()) for topic in metadata.topics()}


class ClusterGate(Service):
    """Holds the worker's start until a broker answers, then fits tables to existing topics."""

    def __init__(self, app: faust.App, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
        #: Partitions of the topics that existed when the worker started.
        self.partitions: Mapping[str, int] = {}
        #: Why the worker is not past the gate; ``None`` once it is.
        self.problem: str | None = "The Kafka cluster has not answered yet."

    async def on_start(self) -> None:
        """Wait for the cluster."""
        said: str | None = None
        while not self.should_stop:
            try:
                self.partitions = await topic_partitions(self.app)
            except BrokerError as error:
                self.problem = str(error)
                if self.problem != said:
                    logger.warning("%s Trying again until it does.", self.problem)
                    said = self.problem
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.problem = None
                return
