"""Tests of several applications on one cluster, which do not notice each other."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from catdog_stream.kafka.names import Names
from catdog_stream.testing import Worker, own_broker, wait_until
from tests.support.client import Client, request
from tests.support.python_classes import grey
from tests.support.thousand_classes import CLASSES, pictures
from tests.system.test_recount import command

pytestmark = [pytest.mark.integration, pytest.mark.long]

FIRST = {"CATDOG_CLASSIFIER": "tests.support.python_classes:First"}
CONTRARY = {
    "CATDOG_CLASSIFIER": "tests.support.python_classes:Contrary",
    "CATDOG_APP": "contrary",
    "CATDOG_REQUEST_TOPIC": "catdogimage",
}
MANY = {"CATDOG_CLASSIFIER": "tests.support.thousand_classes:Thousand", "CATDOG_APP": "many"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    with own_broker(tmp_path / "broker") as started:
        yield started.address


def topics_of(broker: str) -> set[str]:
    kafka = AdminClient({"bootstrap.servers": broker, "log_level": 0})
    return set(kafka.list_topics(timeout=10).topics)


def labels(worker: Worker) -> dict[str, int]:
    return dict(worker.get("/labels/")["labels"])


def test_three_applications_with_other_models_one_of_which_reads_the_requests_of_another(
    broker: str, tmp_path: Path
) -> None:
    """Check that each counts its own answers, also after all of them are killed."""
    light, some = [request(grey(250))] * 30, [request(each) for each in pictures(range(40))]

    async def classify() -> None:
        async with Client(broker) as client, Client(broker, Names.of("many")) as other:
            sources = await client.send(light)
            await other.answers(await other.send(some))
            await client.answers(sources)

    def counted() -> None:
        for worker, truth in zip(workers, truths, strict=True):
            wait_until(lambda: labels(worker) == truth, f"{truth}", 60)  # noqa: B023

    truths: list[dict[str, int]] = [{"light": 30}, {"dark": 30}, dict.fromkeys(CLASSES[:40], 1)]
    with ExitStack() as stack:
        workers = [
            stack.enter_context(Worker(broker, tmp_path, settings=each))
            for each in (FIRST, CONTRARY, MANY)
        ]
        for worker in workers:
            worker.wait_ready()
        asyncio.run(classify())
        counted()
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.wait_ready()
        asyncio.run(classify())
        truths = [{name: 2 * count for name, count in truth.items()} for truth in truths]
        counted()
        for app in ("catdog_stream", "contrary", "many"):
            assert "nothing differs" in command(broker, "--dry-run", app=app).stdout
    topics = topics_of(broker)
    assert {"contrary-labels", "many-requests", "many-label_counts-changelog"} <= topics
    assert "contrary-requests" not in topics


def test_without_the_task_to_create_topics_a_worker_says_what_it_waits_for(
    broker: str, tmp_path: Path
) -> None:
    settings = {**FIRST, "CATDOG_APP": "given", "CATDOG_CREATE_TOPICS": "off"}
    with Worker(broker, tmp_path, settings=settings) as worker:
        wait_until(lambda: "CATDOG_CREATE_TOPICS is off" in worker.log.read_text(), "that", 60)
        assert worker.status("/readyz") == 503
        assert not [name for name in topics_of(broker) if name.startswith("given")]
    with Worker(broker, tmp_path, settings={**FIRST, "CATDOG_APP": "given"}) as creator:
        creator.wait_ready()
    with Worker(broker, tmp_path, settings=settings) as worker:
        worker.wait_ready()
