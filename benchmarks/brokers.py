"""Broker that a benchmark runs on, chosen by ``--broker``."""

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
    """Running broker."""

    #: ``host:port``.
    address: str
    #: Folder for the logs and data of the programs that run against the broker.
    folder: Path


def broker_name(choice: str) -> str:
    """Return the broker's name for a title."""
    return "Apache Kafka" if choice == OWN else f"Kafka at {choice}"


@contextmanager
def lend(choice: str) -> Iterator[Broker]:
    """Yield a broker to measure on: a new local Kafka, or the one at the given address."""
    # As on Ctrl-C: the programs that were started are stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="catdog-benchmark-") as name:
        folder = Path(name)
        if choice != OWN:
            yield Broker(choice, folder)
            return
        with LocalKafka(free_ports(1)[0], folder / "broker") as kafka:
            yield Broker(kafka.address, folder)
