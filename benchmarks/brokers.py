"""The broker that a benchmark runs on, as ``--broker`` names it."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.options import OWN
from catdog_stream.broker import LocalKafka
from catdog_stream.testing.ports import free_ports

__all__ = ["Broker", "broker_name", "lend"]


@dataclass(frozen=True)
class Broker:
    """A broker that answers."""

    #: ``host:port``.
    address: str
    #: For the logs and data of what runs against it.
    folder: Path


def broker_name(choice: str) -> str:
    """What it is, for a title."""
    return "Apache Kafka" if choice == OWN else f"Kafka at {choice}"


@contextmanager
def lend(choice: str) -> Iterator[Broker]:
    """A broker to measure on: a new local Kafka, or the one at an address."""
    # As Ctrl-C does: what was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="catdog-benchmark-") as name:
        folder = Path(name)
        if choice != OWN:
            yield Broker(choice, folder)
            return
        with LocalKafka(free_ports(1)[0], folder / "broker") as kafka:
            yield Broker(kafka.address, folder)
