"""Test of a model that fails on a picture: all other pictures get their answers."""

import asyncio
from pathlib import Path

import pytest

from catdog_stream.testing.worker import PATIENCE, Worker
from tests.support.client import Client, Message, header, request
from tests.support.faulty_worker import DEADLY, FAULTS, FAULTY
from tests.support.pictures import BLUE, RED, colored

pytestmark = pytest.mark.integration

MOST_DEATHS = 6


def test_a_wrong_answer_costs_its_own_picture_alone(broker_address: str, tmp_path: Path) -> None:
    async def scenario(worker: Worker) -> None:
        async with Client(broker_address) as client:
            faults = [(colored(color), reason) for color, reason in FAULTS.items()]
            values = [value for picture, _ in faults for value in (RED, picture, BLUE)]
            sources = await client.send(
                [
                    Message(request(value), partition=number % 2)
                    for number, value in enumerate(values)
                ]
            )
            await client.answers(sources)
            for number, source in enumerate(sources):
                if number % 3 == 1:
                    (rejection,) = client.rejected[source]
                    assert header(rejection, "reason") == faults[number // 3][1]
                else:
                    assert source in client.labels
            assert worker.process.poll() is None

    with Worker(broker_address, tmp_path, module=FAULTY) as worker:
        worker.wait_ready()
        asyncio.run(scenario(worker))
        assert worker.terminate() == 0


@pytest.mark.long
def test_a_picture_that_ends_the_process_is_set_aside_after_three_deaths(
    broker_address: str, tmp_path: Path
) -> None:
    async def scenario(worker: Worker) -> int:
        async with asyncio.timeout(PATIENCE), Client(broker_address) as client:
            messages = [Message(request(RED), partition=number % 4) for number in range(40)]
            messages[21:21] = [Message(request(colored(DEADLY)), partition=1)]
            sources = await client.send(messages)
            deaths = 0
            while not client.rejected.keys() | client.labels.keys() >= set(sources):
                if worker.process.poll() is not None:  # the supervisor starts it again
                    deaths += 1
                    assert deaths <= MOST_DEATHS
                    worker.start()
                await asyncio.sleep(0.05)
            (poison,) = (source for source in sources if source in client.rejected)
            assert poison == sources[21]
            assert header(client.rejected[poison][0], "reason") == "stopped_workers"
            return deaths

    with Worker(broker_address, tmp_path, module=FAULTY) as worker:
        worker.wait_ready()
        deaths = asyncio.run(scenario(worker))
        assert deaths >= 3
        worker.wait_ready()
        assert worker.terminate() == 0
        assert "one request at a time" in worker.log.read_text()
