"""Fixtures that every part of the test suite may use."""

import os
from collections.abc import Generator, Iterator

import pytest

from catdog_stream.broker import LocalKafka
from tests.support import worker
from tests.support.ports import free_ports


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the workers wrote in the time of a test that failed: most failures show there."""
    report = yield
    if report.failed:
        report.sections += [
            (f"end of {log.name}", worker.tail(log))
            for log in worker.logs
            if log.exists() and log.stat().st_mtime >= call.start
        ]
    return report


@pytest.fixture(scope="session")
def broker_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``host:port`` of the broker to test with: a local Kafka, or ``CATDOG_TEST_BROKER``.

    It is shared by all tests and keeps its topics: give topics and applications names of their own.
    """
    if given := os.environ.get("CATDOG_TEST_BROKER"):
        yield given.removeprefix("kafka://")
        return
    with LocalKafka(free_ports(1)[0], tmp_path_factory.mktemp("broker")) as broker:
        yield broker.address
