"""Test of a group member that reads nothing: it stays in the group, and takes over when needed."""

import asyncio
import os
import sys
import time
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from catdog_stream.testing.worker import PATIENCE
from tests.support.command import Command

pytestmark = [pytest.mark.integration, pytest.mark.long]

#: Seconds without a record after which a consumer of aiokafka leaves its group; Faust's default is
#: 1,000.
POLL_INTERVAL = 2.0

APP = """
import asyncio
import os

from catdog_stream.pipelines import PipelineApp

NAME = os.environ["PIPELINE"]
app = PipelineApp(NAME, datadir=os.environ["APP_DATADIR"])
incoming, outgoing = app.raw_topic(f"{NAME}-in"), app.raw_topic(f"{NAME}-out")


@app.agent(incoming)
async def pass_on(stream):
    async for value in stream:
        if value == b"slow":
            await asyncio.sleep(3 * app.conf.broker_max_poll_interval)
        await outgoing.send(value=value)


if __name__ == "__main__":
    app.main()
"""


def test_a_spare_member_takes_over_after_a_long_silence(
    broker_address: str, tmp_path: Path
) -> None:
    name = f"spare-{uuid.uuid4().hex[:8]}"
    (tmp_path / "pipeline.py").write_text(APP)

    def start(instance: int) -> Command:
        environment = {
            **os.environ,
            "PIPELINE": name,
            "CATDOG_BROKER": f"kafka://{broker_address}",
            "BROKER_MAX_POLL_INTERVAL": str(POLL_INTERVAL),
            "APP_DATADIR": str(tmp_path / str(instance)),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        command = [sys.executable, "pipeline.py", "worker", "-l", "info"]
        return Command(command, environment, tmp_path)

    async def scenario() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker_address)
        await admin.start()
        topics = [NewTopic(f"{name}-in", 1, 1), NewTopic(f"{name}-out", 1, 1)]
        await admin.create_topics(topics)
        passed = AIOKafkaConsumer(
            f"{name}-out", bootstrap_servers=broker_address, auto_offset_reset="earliest"
        )
        with start(0) as active, start(1) as spare:
            async with passed, AIOKafkaProducer(bootstrap_servers=broker_address) as producer:

                async def pass_on(*values: bytes) -> None:
                    for value in values:
                        await producer.send_and_wait(f"{name}-in", value)
                    wanted = set(values)
                    async with asyncio.timeout(PATIENCE):
                        while wanted:  # uncommitted records come again
                            wanted.discard((await passed.getone()).value)

                for app in (active, spare):
                    await asyncio.to_thread(app.wait_for, "Worker ready")
                await members(admin, name, 2)
                await pass_on(b"first", b"slow", b"behind the slow one")
                quiet_until = time.monotonic() + 2 * POLL_INTERVAL
                while time.monotonic() < quiet_until:
                    await members(admin, name, 2, within=POLL_INTERVAL)
                    await asyncio.sleep(0.2)
                # Either of them may have the partition: one member always remains.
                active.process.kill()
                await pass_on(b"after one was killed")
                with start(2):
                    await members(admin, name, 2)
                    spare.process.kill()
                    await pass_on(b"after the other was killed")
        await admin.close()

    asyncio.run(scenario())


async def members(
    admin: AIOKafkaAdminClient, group: str, number: int, *, within: float = PATIENCE
) -> None:
    """Wait until the group has this number of members."""
    async with asyncio.timeout(within):
        while True:
            (answer,) = await admin.describe_consumer_groups([group])
            ((_code, _name, state, _type, _protocol, found, *_),) = answer.groups
            if state == "Stable" and len(found) == number:
                return
            await asyncio.sleep(0.1)
