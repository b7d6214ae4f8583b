"""Tests of a model that hangs: only the picture on which it hangs is rejected."""

import asyncio
import io
import re
import time
from pathlib import Path

import pytest
import requests
from PIL import Image

from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE, Worker
from tests.support.client import Client, Message, header, request

pytestmark = [pytest.mark.integration, pytest.mark.long]

HANGING = "tests.support.hanging_worker"
TIMEOUT = "1.5"


@pytest.fixture(scope="module")
def magenta() -> bytes:
    """Return the picture on which the model hangs."""
    out = io.BytesIO()
    Image.new("RGB", (50, 50), (255, 0, 255)).save(out, "PNG")
    return out.getvalue()


def in_flight(worker: Worker) -> float:
    """Return the number of requests that the worker has taken and not answered."""
    text = requests.get(f"http://127.0.0.1:{worker.port}/metrics", timeout=10).text
    (value,) = re.findall(r"^catdog_requests_in_flight (\S+)$", text, re.MULTILINE)
    return float(value)


def test_the_hung_picture_is_rejected_and_those_around_it_are_labelled(
    broker_address: str, tmp_path: Path, cat: bytes, magenta: bytes
) -> None:
    async def scenario(worker: Worker) -> None:
        async with Client(broker_address) as client:
            messages = [Message(request(cat), partition=number % 3) for number in range(12)]
            messages.insert(5, Message(request(magenta), partition=1))
            sources = await client.send(messages)
            await client.answers(sources)
            assert header(client.rejected[sources[5]][0], "reason") == "timeout"
            assert len(client.labels.keys() & set(sources)) == 12
            assert worker.process.poll() is None

    with Worker(
        broker_address, tmp_path, module=HANGING, settings={"CATDOG_INFERENCE_TIMEOUT": TIMEOUT}
    ) as worker:
        worker.wait_ready()
        asyncio.run(scenario(worker))
        started = time.monotonic()
        assert worker.terminate() == 0
        assert time.monotonic() - started < 10


def test_a_model_that_hangs_again_and_again_ends_the_worker_and_the_next_one_goes_on(
    broker_address: str, tmp_path: Path, cat: bytes, magenta: bytes
) -> None:
    async def scenario(worker: Worker) -> None:
        async with asyncio.timeout(PATIENCE), Client(broker_address) as client:
            messages = [Message(request(magenta), partition=0) for _ in range(5)]
            messages.append(Message(request(cat), partition=0))
            sources = await client.send(messages)
            ended = 0
            while not client.rejected.keys() | client.labels.keys() >= set(sources):
                if worker.process.poll() is not None:  # the supervisor starts it again
                    assert worker.process.poll() == 1
                    assert "The model hung" in worker.tail()
                    ended += 1
                    assert ended < len(sources)
                    worker.start()
                await asyncio.sleep(0.05)
            assert ended
            assert {header(client.rejected[source][0], "reason") for source in sources[:5]} == {
                "timeout"
            }
            assert sources[5] in client.labels

    with Worker(
        broker_address, tmp_path, module=HANGING, settings={"CATDOG_INFERENCE_TIMEOUT": TIMEOUT}
    ) as worker:
        worker.wait_ready()
        asyncio.run(scenario(worker))


def test_a_hung_model_that_cannot_be_replaced_is_told_and_ends_the_worker(
    broker_address: str, tmp_path: Path, cat: bytes, magenta: bytes
) -> None:
    async def scenario(worker: Worker) -> None:
        async with asyncio.timeout(PATIENCE), Client(broker_address) as client:
            hung = await client.send([Message(request(magenta), partition=0)])
            await client.answers(hung)
            assert worker.status("/healthz") == 503
            (problem,) = worker.get("/healthz")["problems"]
            assert problem == (
                "The model hung, and no other could be loaded: The stack was removed."
            )
            messages = [Message(request(magenta), partition=0) for _ in range(2)]
            messages.append(Message(request(cat), partition=0))
            sources = await client.send(messages)
            assert await asyncio.to_thread(worker.process.wait, PATIENCE) == 1
            assert "The model hung 3 times." in worker.tail()
            await asyncio.to_thread(worker.start().wait_ready)
            await client.answers(sources)
            assert sources[-1] in client.labels
            reasons = {
                header(client.rejected[source][0], "reason") for source in hung + sources[:2]
            }
            assert reasons == {"timeout"}

    settings = {"CATDOG_INFERENCE_TIMEOUT": TIMEOUT, "LOADED_ONCE": "1"}
    with Worker(broker_address, tmp_path, module=HANGING, settings=settings) as worker:
        worker.wait_ready()
        asyncio.run(scenario(worker))


def test_a_worker_that_is_stopped_under_load_ends_in_time_and_hands_back_what_it_cannot_finish(
    broker_address: str, tmp_path: Path, cat: bytes, magenta: bytes
) -> None:
    """Let the model hang without a deadline: SIGTERM still ends the worker within 10 s."""

    async def scenario(worker: Worker) -> None:
        async with Client(broker_address) as client:
            messages = [Message(request(cat), partition=number % 8) for number in range(100)]
            messages.insert(20, Message(request(magenta), partition=2))
            sources = await client.send(messages)
            wait_until(lambda: in_flight(worker) > 8, "the worker to be busy")
            started = time.monotonic()
            await asyncio.to_thread(worker.terminate)
            assert time.monotonic() - started < 10
            with Worker(broker_address, tmp_path) as other:
                await asyncio.to_thread(other.wait_ready)
                await client.answers(sources)

    with Worker(
        broker_address, tmp_path, module=HANGING, settings={"CATDOG_INFERENCE_TIMEOUT": "1000"}
    ) as worker:
        worker.wait_ready()
        asyncio.run(scenario(worker))
