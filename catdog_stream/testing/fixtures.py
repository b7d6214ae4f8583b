"""Fixtures for pytest; see ``catdog_stream.testing``."""

import asyncio
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from catdog_stream.broker import LocalKafka
from catdog_stream.errors import RejectedRequest
from catdog_stream.settings import Settings
from catdog_stream.testing import worker
from catdog_stream.testing.answered import Answered, publish_answers
from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.worker import Worker

__all__ = ["StartWorker", "answered", "broker_address", "start_worker"]


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


class StartWorker(Protocol):
    """What the fixture ``start_worker`` gives."""

    def __call__(
        self, module: str = "catdog_stream", settings: Mapping[str, str] | None = None
    ) -> Worker:
        """Start ``python -m MODULE worker`` and wait until it is ready.

        Args:
            module: of one's own, one that sets ``app.classifying.load`` before ``main()``.
            settings: environment variables.
        """


@pytest.fixture
def start_worker(broker_address: str, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts workers on ``broker_address``, which are gone when the test ends."""
    with ExitStack() as stack:

        def start(
            module: str = "catdog_stream", settings: Mapping[str, str] | None = None
        ) -> Worker:
            begun = Worker(broker_address, tmp_path, settings=settings, module=module)
            return stack.enter_context(begun).wait_ready()

        yield start


@pytest.fixture
def answered(
    broker_address: str,
) -> Callable[[Iterable[Mapping[str, float] | RejectedRequest]], list[Answered]]:
    """Writes requests and answers into ``broker_address``: see ``publish_answers``."""
    cluster = Settings(broker=f"kafka://{broker_address}").cluster
    return lambda answers: asyncio.run(publish_answers(cluster, answers))
