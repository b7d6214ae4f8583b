"""What /readyz says while a worker starts."""

from typing import cast

from faust.tables.manager import TableManager

from catdog_stream.application import CatDogApp
from catdog_stream.health import health_problems, readiness_problems
from catdog_stream.settings import Settings


def test_a_worker_that_waits_for_its_broker_is_alive_but_not_ready() -> None:
    app = CatDogApp(Settings())
    assert health_problems(app) == []
    assert readiness_problems(app) == ["The Kafka cluster has not answered yet."]


def test_then_the_model_warms_up_and_tables_recover() -> None:
    app = CatDogApp(Settings())
    app.gate.problem = None
    assert readiness_problems(app) == [
        "The model is warming up.",
        "Partitions are being assigned and tables recovered.",
    ]


def test_without_a_partition_there_is_nothing_to_do() -> None:
    app = CatDogApp(Settings())
    app.gate.problem = None
    app.rebalancing = False
    cast(TableManager, app.tables).recovery.completed.set()
    assert "No partition is assigned to this worker." in readiness_problems(app)
