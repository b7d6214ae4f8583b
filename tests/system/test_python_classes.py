"""Tests of Python classes as canary, as shadow and as voters, with drift, in real workers."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from catdog_stream.messages.wire import Source
from catdog_stream.pipeline.sampling import Sample
from catdog_stream.testing import Worker, own_broker, wait_until
from tests.support.client import Client, header, request
from tests.support.python_classes import grey
from tests.system.test_beside import metric

pytestmark = [pytest.mark.integration, pytest.mark.long]

SHARE = 0.4
CANARY = Sample(b"canary", SHARE)
SECONDS = 60.0
CLASSES = "tests.support.python_classes:"
LIGHT = request(grey(250))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    with own_broker(tmp_path / "broker") as started:
        yield started.address


def test_a_class_has_a_canary_a_shadow_and_drift_as_a_stack_has(
    broker: str, tmp_path: Path
) -> None:
    settings = {
        "CATDOG_CLASSIFIER": f"{CLASSES}First",
        "CATDOG_CANARY": f"{CLASSES}Second",
        "CATDOG_CANARY_SHARE": str(SHARE),
        "CATDOG_SHADOW": f"{CLASSES}Contrary",
    }

    async def classify() -> None:
        async with Client(broker) as client:
            sources = await client.send([LIGHT] * 400)
            await client.answers(sources)
            for source in sources:
                (label,) = client.labels[source]
                parsed = Source.parse(source.encode())
                assert parsed is not None
                assert header(label, "stack") == ("second 1" if parsed in CANARY else "first 1")
                assert header(label, "verdict") == "light"

    with Worker(broker, tmp_path, settings=settings) as worker:
        worker.wait_ready()
        asyncio.run(classify())
        wait_until(lambda: metric(worker, "catdog_drift_found", "verdict") == 1, "drift", SECONDS)
        name = "catdog_shadow_pictures_total"
        wait_until(lambda: metric(worker, name, "disagreed") > 0, "the shadow", SECONDS)
        assert metric(worker, name, "agreed") == metric(worker, name, '"disagreed"')
        assert metric(worker, "catdog_canary_info", 'version="1"') == 1


def test_a_class_that_cannot_be_a_canary_is_named(tmp_path: Path) -> None:
    settings = {
        "CATDOG_CLASSIFIER": f"{CLASSES}First",
        "CATDOG_CANARY": f"{CLASSES}Missing",
    }
    with Worker("127.0.0.1:1", tmp_path, settings=settings) as worker:
        assert worker.process.wait(SECONDS) == 2
        assert f"The classifier '{CLASSES}Missing' cannot be used" in worker.tail()
        assert "Traceback" not in worker.tail()


def test_classes_vote_and_a_jury_decides(broker: str, tmp_path: Path) -> None:
    voters = {"a": "First", "b": "Second", "c": "Contrary"}

    async def classify() -> None:
        async with Client(broker) as client:
            sources = await client.send([LIGHT] * 20)
            await client.answers(sources)
            for source in sources:
                (label,) = client.labels[source]
                assert header(label, "verdict") == "light", "the third is outvoted"

    with ExitStack() as stack:
        roles = [
            {
                "CATDOG_ROLE": "voter",
                "CATDOG_VOTER": name,
                "CATDOG_CLASSIFIER": f"{CLASSES}{of}",
            }
            for name, of in voters.items()
        ]
        roles.append({"CATDOG_ROLE": "jury", "CATDOG_VOTERS": "a, b, c"})
        workers = [stack.enter_context(Worker(broker, tmp_path, settings=role)) for role in roles]
        for worker in workers:
            worker.wait_ready()
        asyncio.run(classify())
