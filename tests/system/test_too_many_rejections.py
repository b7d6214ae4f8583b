"""Test of a worker that rejects every request: it stops before it has drained the topic."""

import asyncio
from pathlib import Path

import pytest

from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE, Worker
from tests.support.client import Client, Message, header, request

pytestmark = [pytest.mark.integration, pytest.mark.long]


def test_the_worker_stops_says_why_and_leaves_the_rest_for_a_better_one(
    broker_address: str, tmp_path: Path, cat: bytes
) -> None:
    async def scenario(strict: Worker, patient: Worker) -> None:
        async with Client(broker_address) as client:
            sources = await client.send(
                Message(request(b"no picture"), partition=number % 2) for number in range(60)
            )
            wait_until(lambda: strict.process.poll() is not None, "the worker to stop", PATIENCE)
            assert strict.process.poll() == 3
            assert "More than 20 requests in a row were rejected" in strict.tail()
            assert len(client.rejected) <= 21
            patient.start()
            await asyncio.to_thread(patient.wait_ready)
            sources += await client.send([request(cat)])
            await client.answers(sources)
            reasons = {header(client.rejected[source][0], "reason") for source in sources[:60]}
            assert reasons == {"not_an_image"}
            assert sources[60] in client.labels

    strict = Worker(broker_address, tmp_path, settings={"CATDOG_MAX_REJECTED_IN_A_ROW": "20"})
    patient = Worker(broker_address, tmp_path)
    try:
        strict.start().wait_ready()
        asyncio.run(scenario(strict, patient))
    finally:
        strict.kill()
        patient.kill()
