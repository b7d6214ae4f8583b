"""Topics with other settings than those of their creation."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from catdog_stream.kafka.cluster import create_topics
from catdog_stream.settings import Settings
from catdog_stream.testing.waiting import wait_until

__all__ = ["configuration", "configured"]

SECONDS = 20.0


def configuration(address: str, topic: str) -> dict[str, str]:
    """Return the settings of ``topic``, with the defaults of the brokers."""
    client = AdminClient({"bootstrap.servers": address})
    (described,) = client.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return {name: entry.value for name, entry in described.result(SECONDS).items()}


@contextmanager
def configured(address: str, topic: str, **settings: object) -> Iterator[None]:
    """Change settings of ``topic`` within the block; their names have ``_`` for ``.``."""
    client = AdminClient({"bootstrap.servers": address})

    def now(names: Mapping[str, str]) -> dict[str, str]:
        found = configuration(address, topic)
        return {name: found[name] for name in names}

    def alter(values: Mapping[str, str]) -> None:
        entries = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            for name, value in values.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
        (altered,) = client.incremental_alter_configs([resource]).values()
        altered.result(SECONDS)
        wait_until(lambda: now(values) == values, f"the settings of {topic}", SECONDS)

    asyncio.run(create_topics(Settings(broker=f"kafka://{address}").cluster))
    wanted = {name.replace("_", "."): str(value) for name, value in settings.items()}
    before = now(wanted)
    alter(wanted)
    try:
        yield
    finally:
        alter(before)
