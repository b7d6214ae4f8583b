"""The embedded broker as the commands run it: where its data lies, what its topics may hold."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from yarl import URL

from catdog_stream.broker import EmbeddedBroker
from catdog_stream.cluster import create_topics
from catdog_stream.errors import BrokerError, SettingError

if TYPE_CHECKING:
    from catdog_stream.application import CatDogApp

__all__ = ["default_data_dir", "embedded_port", "running_broker"]

#: Kept of each partition of each topic: the broker holds everything in memory. What is older goes
#: whole segments at a time, read or unread.
RETENTION = {
    "retention.bytes": str(64 * 1024 * 1024),
    "segment.bytes": str(8 * 1024 * 1024),
    "retention.ms": str(24 * 60 * 60 * 1000),
}


def default_data_dir(port: int) -> Path:
    """Where a broker on ``port`` keeps its data: the user's state directory."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "catdog_stream" / f"broker-{port}"


def embedded_port(app: "CatDogApp") -> int | None:
    """The port where an embedded broker would serve ``CATDOG_BROKER``; ``None`` if none can."""
    addresses: list[URL] = app.conf.broker
    if len(addresses) != 1 or addresses[0].host not in ("127.0.0.1", "localhost"):
        return None
    return addresses[0].port or 9092


@contextmanager
def running_broker(app: "CatDogApp", port: int, data_dir: Path | None) -> Iterator[EmbeddedBroker]:
    """Run the embedded broker with the topics in it. Raises ``BrokerError``, ``SettingError``."""
    if app.settings.security.protocol != "plaintext":
        raise SettingError("The embedded broker knows neither TLS nor SASL: unset CATDOG_SECURITY.")
    with EmbeddedBroker(port, data_dir or default_data_dir(port)) as broker:
        asyncio.run(create_topics(app, RETENTION, broker.address))
        yield broker
        status = broker.poll()
        if status is not None:
            raise BrokerError(f"The embedded broker ended with status {status}; see {broker.log}.")
