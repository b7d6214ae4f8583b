"""A broker of a test's own, of the kind that the other tests run against."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from catdog_stream.broker import EmbeddedBroker
from tests.support.kafka import KafkaCluster, KafkaUnavailableError, fetch
from tests.support.ports import free_ports

#: Whether the tests run against Apache Kafka, which shows guarantees.
ON_KAFKA = "CATDOG_TEST_BROKER" in os.environ


class Broker(Protocol):
    """What can be stopped and started again with its data."""

    @property
    def address(self) -> str:
        """``host:port``."""

    def start(self) -> object:
        """Start it."""

    def stop(self) -> None:
        """Stop it."""


@contextmanager
def own_broker(folder: Path) -> Iterator[Broker]:
    """A broker that no other test uses, of the kind under test."""
    folder.mkdir(parents=True, exist_ok=True)
    if ON_KAFKA:
        try:
            jars = fetch()
        except KafkaUnavailableError as error:
            pytest.skip(str(error))
        with KafkaCluster(jars, folder) as kafka:
            yield kafka
    else:
        with EmbeddedBroker(free_ports(1)[0], folder) as embedded:
            yield embedded
