"""A broker of a test's own, which it may stop, kill and start again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catdog_stream.broker import LocalKafka
from catdog_stream.testing.ports import free_ports


@contextmanager
def own_broker(folder: Path) -> Iterator[LocalKafka]:
    """A broker that no other test uses, whatever ``CATDOG_TEST_BROKER`` says."""
    with LocalKafka(free_ports(1)[0], folder) as kafka:
        yield kafka
