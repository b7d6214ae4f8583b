"""The local Kafka as the commands run it: where its data lies, and with the topics in it."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from yarl import URL

from catdog_stream.broker import LocalKafka
from catdog_stream.cluster import create_topics
from catdog_stream.errors import BrokerError, SettingError

if TYPE_CHECKING:
    from catdog_stream.application import CatDogApp

__all__ = ["default_data_dir", "local_port", "running_kafka"]


def default_data_dir(port: int) -> Path:
    """Where a server on ``port`` keeps its data: the user's state directory."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "catdog_stream" / f"kafka-{port}"


def local_port(app: "CatDogApp") -> int | None:
    """The port where a local Kafka would serve ``CATDOG_BROKER``; ``None`` if none can."""
    addresses: list[URL] = app.conf.broker
    if len(addresses) != 1 or addresses[0].host not in ("127.0.0.1", "localhost"):
        return None
    return addresses[0].port or 9092


@contextmanager
def running_kafka(app: "CatDogApp", port: int, data_dir: Path | None) -> Iterator[LocalKafka]:
    """Run the local Kafka with the topics in it. Raises ``BrokerError``, ``SettingError``."""
    if app.settings.security.protocol != "plaintext":
        raise SettingError("The local Kafka offers neither TLS nor SASL: unset CATDOG_SECURITY.")
    with LocalKafka(port, data_dir or default_data_dir(port)) as kafka:
        asyncio.run(create_topics(app, kafka.address))
        yield kafka
        status = kafka.poll()
        if status is not None:
            raise BrokerError(f"The local Kafka ended with status {status}; see {kafka.log}.")
