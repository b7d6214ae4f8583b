"""Tests of an app with a further agent: it ends when its agent fails, and loses no record."""

import asyncio
import os
import sys
import uuid
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from catdog_stream.testing.worker import PATIENCE
from tests.support.command import Command

pytestmark = pytest.mark.integration

APP = """
import asyncio
import os
from catdog_stream.pipelines import PipelineApp

NAME, MODE = os.environ["PIPELINE"], os.environ["MODE"]
app = PipelineApp(NAME, datadir=NAME)
incoming, outgoing = app.raw_topic(f"{NAME}-in"), app.raw_topic(f"{NAME}-out")


@app.agent(incoming, concurrency=2 if MODE == "hangs" else 1)
async def pass_on(records):
    if MODE == "take":
        async for values in records.take(3, within=5.0):
            raise ValueError("I cannot read that.")
    async for event in records.events():
        if event.value == b"bad":
            if MODE == "raises":
                raise ValueError("I cannot read that.")
            if MODE == "cancelled":
                raise asyncio.CancelledError
            if MODE == "returns":
                return
            if MODE == "hangs":
                await asyncio.sleep(3600)
            if MODE == "unwritten":
                await outgoing.send(value=b"x" * 2_000_000)
        await outgoing.send(value=event.value)


if __name__ == "__main__":
    app.main()
"""

SENTENCES = {
    "raises": "I cannot read that.",
    "take": "I cannot read that.",
    "cancelled": "what it waited for was cancelled",
    "returns": "it must read its stream until it is stopped",
    "unwritten": "was not written",
}
VALUES = [b"1", b"2", b"bad", b"3"]
#: Mode to the number of ``VALUES`` that an agent may have finished.
DONE = {"raises": 2, "take": 0, "cancelled": 2, "returns": 2, "unwritten": 3, "hangs": 2}


def test_what_an_agent_failed_on_is_read_again(broker_address: str, tmp_path: Path) -> None:
    (tmp_path / "pipeline.py").write_text(APP)
    names = {mode: f"pipeline-{mode}-{uuid.uuid4().hex[:8]}" for mode in DONE}

    def start(mode: str, behavior: str) -> Command:
        environment = {
            **os.environ,
            "PIPELINE": names[mode],
            "MODE": behavior,
            "CATDOG_BROKER": f"kafka://{broker_address}",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        arguments = [sys.executable, "pipeline.py", "worker", "-l", "info"]
        return Command(arguments, environment, tmp_path)

    with ExitStack() as stack:
        apps = {mode: stack.enter_context(start(mode, mode)) for mode in DONE}
        for app in apps.values():
            app.wait_for("Worker ready")
        for name in names.values():
            asyncio.run(_send(broker_address, f"{name}-in", VALUES))
        for mode, sentence in SENTENCES.items():
            assert apps[mode].wait() == 1
            assert sentence in apps[mode].output()
            assert "stopped" in apps[mode].output() or "stops" in apps[mode].output()
        # Two at a time: the record behind the one that hangs was passed on.
        asyncio.run(_read(broker_address, f"{names['hangs']}-out", b"3"))
        apps["hangs"].process.terminate()
        apps["hangs"].wait()
    for mode, name in names.items():
        assert asyncio.run(_committed(broker_address, name)) <= DONE[mode], mode
    with ExitStack() as stack:
        for mode in DONE:
            stack.enter_context(start(mode, "forgives"))
        for mode, name in names.items():
            passed = asyncio.run(_read(broker_address, f"{name}-out", b"bad"))
            assert b"bad" in passed, mode


async def _send(address: str, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)


async def _committed(address: str, group: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return sum(place.offset for tp, place in offsets.items() if tp.topic == f"{group}-in")


async def _read(address: str, topic: str, last: bytes) -> list[bytes]:
    """Return all records up to ``last``."""
    found: list[bytes] = []
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=address, auto_offset_reset="earliest")
    async with asyncio.timeout(PATIENCE), consumer:
        while last not in found:
            found.append((await anext(consumer)).value or b"")
    return found
