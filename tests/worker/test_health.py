"""Tests of /healthz and /readyz while a worker starts."""

import asyncio
from typing import cast

import pytest
from faust.tables.manager import TableManager

from catdog_stream.app import build_app
from catdog_stream.settings import Settings
from catdog_stream.worker.application import CatDogApp
from catdog_stream.worker.health import WorkerHealth, silence, without_addresses


@pytest.fixture
def app() -> CatDogApp:
    """Return a worker, none of whose tasks runs yet."""
    return build_app(Settings())


@pytest.fixture
def health(app: CatDogApp) -> WorkerHealth:
    return app.watchdog._health


@pytest.fixture
def connected(app: CatDogApp, health: WorkerHealth) -> WorkerHealth:
    """Return the health of a worker that has just found its broker."""
    app.cluster_readiness._problem = None
    return health


def test_a_worker_that_waits_for_its_broker_is_alive_but_not_ready(health: WorkerHealth) -> None:
    assert health.problems == []
    assert asyncio.run(health.readiness_problems()) == ["The Kafka cluster has not answered yet."]


def test_then_the_model_warms_up_and_tables_recover(connected: WorkerHealth) -> None:
    assert asyncio.run(connected.readiness_problems()) == [
        "The model is warming up.",
        "Partitions are being assigned and tables recovered.",
    ]


def test_without_a_partition_there_is_nothing_to_do(
    app: CatDogApp, connected: WorkerHealth
) -> None:
    app.rebalancing = False
    cast(TableManager, app.tables).recovery.completed.set()
    assert asyncio.run(connected.readiness_problems()) == [
        "The model is warming up.",
        "No partition is assigned to this worker.",
    ]


def test_connections_that_have_gone_silent_are_a_reason_though_new_ones_are_answered() -> None:
    assert silence(None, None) == []
    assert silence((1.0, "10.0.0.1:9092"), 1.0) == []
    assert silence((9.1, "10.0.0.1:9092"), 12.0) == [
        "Kafka at 10.0.0.1:9092 has not answered for 9 s.",
        "The group of the workers has not answered for 12 s.",
    ]


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3:9092", "kafka://broker-1.internal:9092", "[fd00::1]:9092", "broker_1:19092"],
)
def test_where_the_brokers_are_is_not_for_anybody(address: str) -> None:
    told = without_addresses(f"No Kafka broker answers at {address}, {address}; for 12 s.")
    assert told.startswith("No Kafka broker answers at (an address, see the log), (an address")
    assert address not in told


def test_sentences_without_an_address_stay() -> None:
    for text in ("Work waits, and none got done for 61 s.", "Partition 3 of catdogimage: none."):
        assert without_addresses(text) == text
