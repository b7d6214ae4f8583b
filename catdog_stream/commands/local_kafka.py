"""Local Kafka for the commands: its data folder, its port and its topics."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from catdog_stream.broker import LocalKafka
from catdog_stream.commands.stopping import Signals
from catdog_stream.errors import SettingError
from catdog_stream.kafka.cluster import create_topics
from catdog_stream.kafka.config import ClusterConfig

__all__ = ["default_data_dir", "local_port", "running_kafka"]

LOCAL = ("127.0.0.1", "localhost")
#: For a new Kafka to create its topic of groups, which takes a fraction of a second.
GROUPS_SECONDS = 10.0
POLL_SECONDS = 0.05


def default_data_dir(port: int) -> Path:
    """Return the data folder of a server on ``port``, in the user's state directory."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "catdog_stream" / f"kafka-{port}"


def local_port(cluster: ClusterConfig) -> int | None:
    """Return the port where a local Kafka can serve ``CATDOG_BROKER``; ``None`` if none can."""
    host, _, port = cluster.addresses[0].rpartition(":")
    return int(port) if len(cluster.addresses) == 1 and host in LOCAL else None


async def _prepare(cluster: ClusterConfig) -> None:
    """Create the topics, and make a new Kafka create its topic of groups.

    Kafka creates it at the first request for a group; until then, a worker logs an error.
    """
    await create_topics(cluster)
    admin = AIOKafkaAdminClient(**cluster.connection)
    await admin.start()
    try:
        async with asyncio.timeout(GROUPS_SECONDS):
            while True:
                try:
                    await admin.find_coordinator(cluster.names.group)
                except GroupCoordinatorNotAvailableError:
                    await asyncio.sleep(POLL_SECONDS)
                else:
                    return
    except TimeoutError:
        return  # the worker waits for it as well, and reports it
    finally:
        await admin.close()


@contextmanager
def running_kafka(
    cluster: ClusterConfig, port: int, data_dir: Path | None, signals: Signals
) -> Iterator[LocalKafka]:
    """Run the local Kafka with its topics.

    Raises:
        BrokerError: Kafka cannot be started, or it ended.
        SettingError: the settings need TLS or SASL.
        Stopped: a signal came.
    """
    if cluster.security.protocol != "plaintext":
        raise SettingError("The local Kafka offers neither TLS nor SASL: unset CATDOG_SECURITY.")
    kafka = LocalKafka(port, data_dir or default_data_dir(port))
    try:
        with signals.interrupting():
            kafka.start()
        signals.run(_prepare(replace(cluster, addresses=(kafka.address,))))
        yield kafka
        status = kafka.poll()
        if status is not None:
            raise kafka.ended(status)
    finally:
        kafka.stop()
