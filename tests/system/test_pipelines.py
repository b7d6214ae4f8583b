"""An app for a further agent ends when its agent fails, and loses nothing of it."""

import asyncio
import os
import sys
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE
from tests.support.command import Command

pytestmark = pytest.mark.integration

APP = """
import os
from catdog_stream.pipelines import PipelineApp

NAME = os.environ["PIPELINE"]
app = PipelineApp(NAME, datadir=NAME)
incoming, outgoing = app.raw_topic(f"{NAME}-in"), app.raw_topic(f"{NAME}-out")


@app.agent(incoming)
async def pass_on(records):
    async for event in records.events():
        if event.value == b"bad" and "FORGIVE" not in os.environ:
            raise ValueError("I cannot read that.")
        await (await outgoing.send(value=event.value))


if __name__ == "__main__":
    app.main()
"""


def test_what_an_agent_failed_on_is_read_again(broker_address: str, tmp_path: Path) -> None:
    name = f"pipeline-{uuid.uuid4().hex[:8]}"
    (tmp_path / "pipeline.py").write_text(APP)
    arguments = [sys.executable, "pipeline.py", "worker", "-l", "info"]
    environment = {
        **os.environ,
        "PIPELINE": name,
        "CATDOG_BROKER": f"kafka://{broker_address}",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    values = [b"1", b"2", b"bad", b"3"]
    with Command(arguments, environment, tmp_path) as app:
        wait_until(lambda: "Worker ready" in app.output(), "the app to be ready", PATIENCE)
        asyncio.run(_send(broker_address, f"{name}-in", values))
        assert app.process.wait(PATIENCE) == 1
        assert "The agent" in app.output()
        assert "I cannot read that." in app.output()
    with Command(arguments, {**environment, "FORGIVE": "1"}, tmp_path) as app:
        passed = asyncio.run(_read(broker_address, f"{name}-out", values))
        assert app.process.poll() is None
    assert passed[:2] == values[:2]
    assert passed[-2:] == values[-2:]


async def _send(address: str, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)


async def _read(address: str, topic: str, values: list[bytes]) -> list[bytes]:
    """All there is, once the last of the ``values`` is there."""
    found: list[bytes] = []
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=address, auto_offset_reset="earliest")
    async with asyncio.timeout(PATIENCE), consumer:
        while values[-1] not in found:
            found.append((await anext(consumer)).value or b"")
    return found
