"""Tests of a probe of the cluster: its message, and its count of errors."""

import asyncio

import pytest
from aiokafka.cluster import ClusterMetadata

from catdog_stream import deadlines
from catdog_stream.app import build_app
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.topic_recreation import Needed
from catdog_stream.settings import Settings
from catdog_stream.worker import cluster_readiness
from tests.support.metrics import broker_errors


async def nobody(_cluster: ClusterConfig) -> ClusterMetadata:
    """Raise the error of a cluster that does not answer."""
    raise BrokerError("Nobody is there.")


async def frozen(_cluster: ClusterConfig) -> ClusterMetadata:
    """Accept the request and never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def well(_cluster: ClusterConfig) -> ClusterMetadata:
    """Return the metadata of a cluster without problems."""
    return ClusterMetadata()


@pytest.mark.parametrize(
    ("look", "problem"),
    [
        (nobody, "Nobody is there."),
        (frozen, "The broker did not answer in 0.05 s."),
        (well, None),
    ],
)
def test_a_look_that_finds_nobody_is_told_and_counted_once(
    look: object, problem: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_readiness, "look", look)
    monkeypatch.setattr(deadlines, "LOOK", 0.05)
    it = build_app(Settings()).cluster_readiness
    it.passed = True
    before = broker_errors("cluster")

    async def scenario() -> None:
        assert await it.problem_now() == problem
        assert await it.problem_now() == problem, "what was learned holds for a while"

    asyncio.run(scenario())
    assert broker_errors("cluster") == before + (problem is not None)


def test_a_topic_that_is_gone_and_cannot_be_created_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster_readiness, "look", well)
    it = build_app(Settings()).cluster_readiness
    it.passed = True
    it._needed = {"catdogimage-rejected": Needed(8)}
    it._not_restored = "The topics cannot be created: no right."
    assert asyncio.run(it.problem_now()) == (
        "Topics were deleted while the worker runs, and it cannot create them: "
        "catdogimage-rejected has 0 of 8 partitions. Create them with that number of partitions. "
        "The topics cannot be created: no right."
    )
