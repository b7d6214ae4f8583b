"""What /healthz and /readyz say while a worker starts."""

import asyncio
from typing import cast

from faust.tables.manager import TableManager

from catdog_stream.settings import Settings
from catdog_stream.worker.application import CatDogApp
from catdog_stream.worker.health import health_problems, readiness_problems, silence


def behind_the_gate() -> CatDogApp:
    """A worker that has just found its broker; no task of it runs yet."""
    app = CatDogApp(Settings())
    app.gate._problem = None
    return app


def test_a_worker_that_waits_for_its_broker_is_alive_but_not_ready() -> None:
    app = CatDogApp(Settings())
    assert health_problems(app) == []
    assert asyncio.run(readiness_problems(app)) == ["The Kafka cluster has not answered yet."]


def test_then_the_model_warms_up_and_tables_recover() -> None:
    assert asyncio.run(readiness_problems(behind_the_gate())) == [
        "The model is warming up.",
        "Partitions are being assigned and tables recovered.",
    ]


def test_without_a_partition_there_is_nothing_to_do() -> None:
    app = behind_the_gate()
    app.rebalancing = False
    cast(TableManager, app.tables).recovery.completed.set()
    assert asyncio.run(readiness_problems(app)) == [
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
