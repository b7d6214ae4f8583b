"""Broker of a single test, which the test may stop, kill and start again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catdog_stream.broker import LocalKafka
from catdog_stream.testing.ports import free_ports


@contextmanager
def own_broker(folder: Path) -> Iterator[LocalKafka]:
    """Run a broker that no other test uses, even if ``CATDOG_TEST_BROKER`` is set."""
    with LocalKafka(free_ports(1)[0], folder) as kafka:
        yield kafka
