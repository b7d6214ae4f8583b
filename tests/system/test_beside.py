"""Tests of a canary, a shadow and an ensemble in real workers."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest
import requests

from catdog_stream.messages.wire import Source
from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.pipeline.sampling import Sample
from catdog_stream.testing import Worker, own_broker, wait_until
from tests.support.client import Client, Message, header, request
from tests.support.stacks import DEFAULT, add

pytestmark = [pytest.mark.integration, pytest.mark.long]

SECONDS = 60.0
SHARE = 0.4
CANARY = Sample(b"canary", SHARE)
SHADOW_MODULE = "catdog_stream.pipeline.shadow.process"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with own_broker(tmp_path_factory.mktemp("broker")) as started:
        yield started.address


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return versions of one stack; the third has the opposite verdicts."""
    folder = tmp_path_factory.mktemp("stacks")
    for version in ("1", "2", "4"):
        add(folder, "pets", version)
    add(folder, "pets", "3", classes=["dog", "cat"])
    add(folder, "cars", "1", classes=["bus", "van"])
    return folder


def expected(source: str, serving: str) -> str:
    """Return the ``stack`` header of a label."""
    parsed = Source.parse(source.encode())
    assert parsed is not None
    return "pets 2" if parsed in CANARY else serving


def metric(worker: Worker, name: str, *labels: str) -> float:
    """Return the sum of all samples with these labels."""
    text = requests.get(f"http://127.0.0.1:{worker.port}/metrics", timeout=10).text
    found = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", text, re.MULTILINE)
    return sum(float(value) for has, value in found if all(label in has for label in labels))


def shadow_of(worker: Worker) -> psutil.Process:
    """Return the process of a worker's shadow."""
    (found,) = (
        child
        for child in psutil.Process(worker.process.pid).children()
        if SHADOW_MODULE in child.cmdline()
    )
    return found


def looked(worker: Worker) -> bool:
    """Return True if the shadow has classified or dropped every picture with a label."""
    answered = metric(worker, "catdog_labels_total")
    return metric(worker, "catdog_shadow_pictures_total") == answered > 0


@pytest.mark.slow
def test_a_canary_and_a_shadow_beside_a_worker_that_is_killed_and_one_that_swaps(
    broker: str, stacks: Path, tmp_path: Path, cat: bytes
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    settings = {
        "CATDOG_THREADS": "1",
        "CATDOG_STACK": str(stacks / "pets" / "1"),
        "CATDOG_STACKS": str(stacks),
        "CATDOG_CANARY": "pets/2",
        "CATDOG_CANARY_SHARE": str(SHARE),
        "CATDOG_SHADOW": "pets/3",
        "CATDOG_SHADOW_FOLDER": str(kept),
    }

    def worker() -> Worker:
        return Worker(broker, tmp_path, settings=settings)

    async def sent(client: Client, number: int) -> list[str]:
        messages = [Message(request(cat), partition=n % 4) for n in range(number)]
        sources = await client.send(messages)
        await client.answers(sources)
        return sources

    def check(client: Client, sources: Sequence[str], serving: str) -> None:
        by_stack: dict[str | None, int] = {}
        for source in sources:
            for record in client.labels[source]:  # every delivery of it
                found = header(record, "stack")
                assert found == expected(source, serving)
                by_stack[found] = by_stack.get(found, 0) + 1
        assert by_stack.keys() == {"pets 2", serving}

    async def scenario() -> None:
        with worker() as first:
            await asyncio.to_thread(first.wait_ready)
            async with Client(broker) as client:
                sources = await sent(client, 40)
                orphan = shadow_of(first)
                first.kill()  # its answers of the last second are not committed
                wait_until(lambda: not orphan.is_running(), "the shadow to follow", SECONDS)
                with worker() as second:
                    await asyncio.to_thread(second.wait_ready)
                    more = await sent(client, 20)
                    check(client, [*sources, *more], "pets 1")
                    assert any(len(client.labels[source]) > 1 for source in sources)
                    await compared(second)
                    await swapped(second, client)
                    await frozen(second, client)

    async def compared(at: Worker) -> None:
        await asyncio.to_thread(wait_until, lambda: looked(at), "the shadow to look", SECONDS)
        for stack in ("pets 1", "pets 2"):
            answered = f'answered="{stack}"'
            name = "catdog_shadow_pictures_total"
            assert metric(at, name, answered, 'outcome="disagreed"') > 0
            assert metric(at, name, answered, 'outcome="agreed"') == 0
            assert metric(at, "catdog_shadow_difference_count", answered) > 0
            assert metric(at, "catdog_labels_total", f'stack="{stack}"', 'label="cat"') > 0
        assert metric(at, "catdog_shadow_cpu_seconds_total") > 0
        assert metric(at, "catdog_canary_info", 'version="2"') == 1
        documents = [json.loads(file.read_text()) for file in kept.glob("*.json")]
        assert {document["answered"]["verdict"] for document in documents} == {"cat"}
        assert {document["shadow"]["verdict"] for document in documents} == {"dog"}
        assert all(file.read_bytes() == cat for file in kept.glob("*.jpeg"))
        page = requests.get(f"http://127.0.0.1:{at.port}/", timeout=10).text
        assert "pets 2 answers 40.0% of the requests of" in page
        assert "pets 3 looks at 100.0%" in page

    async def swapped(at: Worker, client: Client) -> None:
        order = [sys.executable, "-m", "catdog_stream", "stacks", "use"]
        environment = {**os.environ, "CATDOG_BROKER": f"kafka://{broker}"}
        for stack, status in (("cars/1", 1), ("pets/4", 0)):
            told = await asyncio.to_thread(
                subprocess.run,
                [*order, stack],
                env=environment,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            assert told.returncode == status, told.stdout + told.stderr
            if status:
                assert (
                    "The canary pets/2 has the classes cat, dog, and cars/1 has bus, van"
                    in told.stdout
                )
        check(client, await sent(client, 20), "pets 4")
        name = "catdog_shadow_pictures_total"
        await asyncio.to_thread(wait_until, lambda: looked(at), "the shadow to look", SECONDS)
        assert metric(at, name, 'answered="pets 4"', 'outcome="disagreed"') > 0

    async def frozen(at: Worker, client: Client) -> None:
        """Check that a frozen shadow does no harm, and ends with its worker."""
        shadow = shadow_of(at)
        shadow.send_signal(signal.SIGSTOP)
        check(client, await sent(client, 40), "pets 4")
        assert at.status("/readyz") == 200
        assert metric(at, "catdog_shadow_pictures_total", 'outcome="dropped"') > 0
        assert await asyncio.to_thread(at.terminate) == 0
        assert not shadow.is_running()

    asyncio.run(scenario())


def test_several_stacks_vote_in_one_worker(
    broker: str, stacks: Path, tmp_path: Path, cat: bytes
) -> None:
    voters = (default_stack(), stacks / "pets" / "2", stacks / "pets" / "3")
    settings = {
        "CATDOG_THREADS": "1",
        "CATDOG_STACK": os.pathsep.join(map(str, voters)),
        "CATDOG_VOTE_RULE": "majority",
    }

    async def scenario() -> None:
        async with Client(broker) as client:
            (source,) = await client.send([request(cat)])
            await client.answers([source])
            (record,) = client.labels[source]
            assert header(record, "stack") == f"jury {DEFAULT}+pets/2+pets/3"
            assert header(record, "verdict") == "cat"  # the third stack is outvoted
            votes = json.loads(header(record, "votes") or "")
            assert [vote["verdict"] for vote in votes.values()] == ["cat", "cat", "dog"]

    with Worker(broker, tmp_path, settings=settings) as worker:
        worker.wait_ready()
        asyncio.run(scenario())
        page = requests.get(f"http://127.0.0.1:{worker.port}/", timeout=10).text
        assert f"This worker serves jury {DEFAULT}+pets/2+pets/3." in page


@pytest.mark.parametrize(
    ("canary", "why"),
    [
        ("pets/9", "There is no stack pets/9 in"),
        ("cars/1", f"The canary cars/1 has the classes bus, van, and {DEFAULT} has cat, dog"),
    ],
)
def test_a_canary_that_cannot_be_used_ends_the_worker_with_a_sentence(
    stacks: Path, tmp_path: Path, canary: str, why: str
) -> None:
    settings = {"CATDOG_STACKS": str(stacks), "CATDOG_CANARY": canary, "CATDOG_THREADS": "1"}
    with Worker("127.0.0.1:1", tmp_path, settings=settings) as worker:
        assert worker.process.wait(SECONDS) == 1
        assert why in worker.tail()
        assert "Traceback" not in worker.tail()
