"""Tests of a broker that stops and comes back: the worker reports it and answers all requests."""

import asyncio
import time
from pathlib import Path

import pytest

from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE, Worker
from tests.support.client import Client, request
from tests.support.metrics import Samples, samples

pytestmark = pytest.mark.integration

REQUESTS_BEFORE = 10
OUTAGE = 60.0  # seconds
FREEZING = "tests.support.freezing_worker"
#: Part of the message of a worker that waits for its broker.
WAITS = "Trying again until it does."
NOT_READY: Samples = [({}, 0.0)]
READY: Samples = [({}, 1.0)]


def waits_for_its_broker(worker: Worker) -> bool:
    """Return True if ``/readyz`` reports that no broker answers."""
    return "No Kafka broker answers" in str(worker.get("/readyz")["problems"])


@pytest.mark.long
def test_a_worker_outlives_its_broker_and_answers_what_was_queued(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, cat: bytes
) -> None:
    requests = [request(cat)] * 120

    async def send(address: str) -> None:
        async with Client(address) as client:
            sources = await client.send(requests)
            await client.answers(sources[:REQUESTS_BEFORE])

    with (
        own_broker(tmp_path_factory.mktemp("broker")) as broker,
        Worker(broker.address, tmp_path) as worker,
    ):
        worker.wait_ready()
        asyncio.run(send(broker.address))
        wait_until(lambda: worker.get("/labels/")["total"] >= REQUESTS_BEFORE, "some to be counted")
        broker.stop()
        stopped = time.monotonic()
        wait_until(lambda: waits_for_its_broker(worker), "the worker to notice")
        wait_until(lambda: samples(worker.port, "catdog_ready") == NOT_READY, "it to be exported")
        wait_until(lambda: not samples(worker.port, "catdog_lag"), "the lag to be unknown, not 0")
        wait_until(lambda: time.monotonic() - stopped >= OUTAGE, "the outage to pass", OUTAGE + 10)
        assert worker.process.poll() is None
        assert worker.get("/healthz")["alive"], "a restart would not bring the broker back"
        broker.start()
        asyncio.run(send(broker.address))
        worker.wait_ready()
        wait_until(
            lambda: worker.get("/labels/")["total"] == 2 * len(requests), "all answers", PATIENCE
        )
        assert worker.terminate() == 0


def test_a_worker_may_be_started_before_its_broker(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, cat: bytes
) -> None:
    async def send(address: str) -> None:
        async with Client(address) as client:
            await client.answers(await client.send([request(cat)]))

    with own_broker(tmp_path_factory.mktemp("broker")) as broker:
        broker.stop()
        with Worker(broker.address, tmp_path) as worker:
            wait_until(lambda: worker.status("/healthz") == 200, "the page", PATIENCE)
            wait_until(lambda: waits_for_its_broker(worker), "the worker to say what it lacks")
            assert samples(worker.port, "catdog_ready") == NOT_READY
            assert samples(worker.port, "catdog_lag") == []
            broker.start()
            worker.wait_ready()
            wait_until(lambda: samples(worker.port, "catdog_ready") == READY, "it to be exported")
            asyncio.run(send(broker.address))


@pytest.mark.long
@pytest.mark.parametrize("client", ["producer", "consumer"])
def test_a_worker_waits_for_a_broker_that_freezes_during_the_start(
    client: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Freeze the broker after it has answered the check of the cluster."""
    with own_broker(tmp_path_factory.mktemp("broker")) as broker:
        settings = {"CATDOG_TEST_CLIENT": client, "CATDOG_TEST_BROKER_PID": str(broker.pid)}
        with Worker(broker.address, tmp_path, settings=settings, module=FREEZING) as worker:
            wait_until(
                lambda: WAITS in worker.log.read_text() or worker.process.poll() is not None,
                "the worker to wait",
                PATIENCE,
            )
            assert worker.get("/readyz")["problems"], "the worker cannot answer"
            assert worker.get("/healthz")["alive"], "a restart would not wake the broker"
            broker.resume()
            worker.wait_ready()
            assert worker.terminate() == 0
