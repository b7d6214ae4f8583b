"""First connection of a worker's clients: it is tried until a broker answers.

Fault (Faust 0.15.3): the producer and the consumer of a worker connect to each address once when
they start. A broker that has answered ``worker.cluster_readiness``, and falls silent or stops
before the worker has started, ends the worker.

Repair: both try again until a broker answers, or the worker stops.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiokafka.errors import KafkaConnectionError
from faust.transport.drivers.aiokafka import Producer as FaustProducer
from mode import Service

from catdog_stream import deadlines
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.unreachable import why_unreachable

__all__ = ["Producer", "connect"]


class Producer(FaustProducer):
    """Producer that connects as soon as a broker answers, if a worker starts it."""

    #: Cluster of the worker.
    cluster: ClusterConfig

    def _new_producer(self, *args: Any, **options: Any) -> Any:
        producer = super()._new_producer(*args, **options)
        if self.app.started:  # a command ends, and reports why
            producer.start = partial(connect, self, producer.start, self.cluster)
        return producer


async def connect(
    service: Service, start: Callable[[], Awaitable[object]], cluster: ClusterConfig
) -> None:
    """Start a client of aiokafka as soon as a broker answers; return early if the service stops.

    Args:
        service: service of the client. Its log states why no broker can be used.
        start: starts the client; can be called again after a ``KafkaConnectionError``.
        cluster: cluster of the client.
    """
    await service.wait(_connected(service, start, cluster))


async def _connected(
    service: Service, start: Callable[[], Awaitable[object]], cluster: ClusterConfig
) -> None:
    said: str | None = None
    while True:
        try:
            await start()
        except KafkaConnectionError:
            reason = await why_unreachable(cluster)
            if reason != said:
                service.log.warning("%s Trying again until it does.", reason)
                said = reason
            await asyncio.sleep(deadlines.TRY_AGAIN)
        else:
            return
