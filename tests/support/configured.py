"""Topics with other settings than those that they are created with."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from catdog_stream.kafka.cluster import create_topics
from catdog_stream.settings import Settings

__all__ = ["configured"]

SECONDS = 20.0


@contextmanager
def configured(address: str, topic: str, **settings: object) -> Iterator[None]:
    """``topic`` with other settings within the block; their names have ``_`` for ``.``."""
    client = AdminClient({"bootstrap.servers": address})

    def alter(operation: AlterConfigOpType) -> None:
        entries = [
            ConfigEntry(name.replace("_", "."), str(value), incremental_operation=operation)
            for name, value in settings.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
        (altered,) = client.incremental_alter_configs([resource]).values()
        altered.result(SECONDS)

    asyncio.run(create_topics(Settings(broker=f"kafka://{address}").cluster))
    alter(AlterConfigOpType.SET)
    try:
        yield
    finally:
        alter(AlterConfigOpType.DELETE)
