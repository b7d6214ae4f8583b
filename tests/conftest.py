"""Fixtures that every part of the test suite may use."""

import os
from collections.abc import Iterator

import pytest

from catdog_stream.broker import EmbeddedBroker
from tests.support.ports import free_ports


@pytest.fixture(scope="module")
def broker_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``host:port`` of the broker to test with: an embedded one, or ``CATDOG_TEST_BROKER``.

    The latter (``kafka://host:port``) is shared by all tests and keeps its topics: give topics and
    applications names of their own.
    """
    if given := os.environ.get("CATDOG_TEST_BROKER"):
        yield given.removeprefix("kafka://")
        return
    with EmbeddedBroker(free_ports(1)[0], tmp_path_factory.mktemp("broker")) as broker:
        yield broker.address
