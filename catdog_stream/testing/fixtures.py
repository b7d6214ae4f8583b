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
    """Add the workers' output during a failed test to its report: most failures show there."""
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
    """Yield ``host:port`` of the broker for tests: a local Kafka, or ``CATDOG_TEST_BROKER``.

    All tests share it, and it keeps its topics: use unique names for topics and applications.
    """
    if given := os.environ.get("CATDOG_TEST_BROKER"):
        yield given.removeprefix("kafka://")
        return
    with LocalKafka(free_ports(1)[0], tmp_path_factory.mktemp("broker")) as broker:
        yield broker.address


class StartWorker(Protocol):
    """Type of the fixture ``start_worker``."""

    def __call__(
        self, module: str = "catdog_stream", settings: Mapping[str, str] | None = None
    ) -> Worker:
        """Start ``python -m MODULE worker`` and wait until it is ready.

        Args:
            module: a module that may set ``app.inference.load`` before it calls ``main()``.
            settings: environment variables.
        """


@pytest.fixture
def start_worker(broker_address: str, tmp_path: Path) -> Iterator[StartWorker]:
    """Yield a function that starts workers on ``broker_address``; they end with the test."""
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
    """Return a function that writes requests and answers to Kafka: see ``publish_answers``."""
    cluster = Settings(broker=f"kafka://{broker_address}").cluster
    return lambda answers: asyncio.run(publish_answers(cluster, answers))
