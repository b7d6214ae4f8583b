"""Tests of the outcome of a deployment: reports are read while any are outstanding."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from catdog_stream.kafka import rollout_status
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.deployments import Deployment, Report
from catdog_stream.kafka.rollout_status import Outcome, Running, outcome
from catdog_stream.settings import Settings

ORDER = Deployment(5, "pets/2")
A, B = (Report(worker, ORDER.offset, "pets 2") for worker in ("a", "b"))


class Topic:
    """Replacement of Kafka's topic: the reports on a deployment at each reading."""

    def __init__(self, *readings: tuple[Deployment | Report, ...]) -> None:
        self._readings = list(readings)
        self.closed = 0

    async def follow(
        self, _cluster: ClusterConfig, _offset: int, _voter: str | None
    ) -> AsyncGenerator[Deployment | Report, None]:
        told = self._readings.pop(0)
        try:
            for each in told:
                yield each
        finally:
            await asyncio.sleep(0)  # as in a closed connection
            self.closed += 1

    def outcome(self, monkeypatch: pytest.MonkeyPatch, *running: str) -> Outcome:
        """Return the outcome; ``running`` has the workers at each query."""
        looks = [Running(frozenset(workers)) for workers in running]

        async def look(_cluster: ClusterConfig, _voter: str | None) -> Running:
            await asyncio.sleep(0.01)
            return looks.pop(0)

        monkeypatch.setattr(rollout_status, "follow", self.follow)
        monkeypatch.setattr(rollout_status, "running", look)

        async def wait() -> Outcome:
            found = await outcome(Settings().cluster, ORDER)
            assert self.closed == 1 + len(running[2:]), "each reading is closed by then"
            return found

        return asyncio.run(wait())


def test_once_all_are_heard_nothing_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Topic((A, B)).outcome(monkeypatch, "ab", "ab").served


def test_once_another_order_came_nothing_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = Deployment(6, "pets/3")
    assert Topic((newer,)).outcome(monkeypatch, "ab", "ab").superseded == newer


def test_a_worker_that_came_meanwhile_is_heard_too(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Topic((A,), (A, B)).outcome(monkeypatch, "a", "ab", "ab")
    assert found.served
    assert found.received == {"a": A, "b": B}
