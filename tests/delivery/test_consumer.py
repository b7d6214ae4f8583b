"""Test of a worker with a table that restarts with a backlog: it reads all uncommitted records.

With ``COUNTING_UNMENDED=1`` in the environment the same test runs on Faust's own consumer, and
fails: a few of the records are skipped at each restart.
"""

import asyncio
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

pytestmark = [pytest.mark.integration, pytest.mark.long]

PARTITIONS = 4  # of tests.support.counting_worker
RECORDS = 3000
RESTARTS = 3
DEADLINE = 120.0


def test_restarts_with_a_backlog_skip_no_record(broker_address: str, tmp_path: Path) -> None:
    asyncio.run(_scenario(broker_address, tmp_path))


async def _scenario(address: str, folder: Path) -> None:
    app_id = f"counting-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(f"{app_id}-{end}", PARTITIONS, 1) for end in ("in", "out")])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=address)
    consumer = AIOKafkaConsumer(
        f"{app_id}-out", bootstrap_servers=address, auto_offset_reset="earliest"
    )
    await producer.start()
    await consumer.start()
    answered: set[int] = set()
    try:
        for number in range(RECORDS):
            await producer.send(f"{app_id}-in", b"%d" % number, partition=number % PARTITIONS)
        await producer.flush()
        async with asyncio.timeout(DEADLINE):
            for restart in range(RESTARTS + 1):
                worker = _start(address, app_id, folder)
                try:
                    share = RECORDS * (restart + 1) // (RESTARTS + 1)
                    while len(answered) < share:
                        answered.add(int((await consumer.getone()).value or b""))
                finally:
                    worker.kill()
                    worker.wait()
    except TimeoutError:
        pytest.fail(f"{RECORDS - len(answered)} of {RECORDS} records were never read")
    finally:
        await consumer.stop()
        await producer.stop()


def _start(address: str, app_id: str, folder: Path) -> "subprocess.Popen[bytes]":
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.support.counting_worker"),
                *("--datadir", str(folder / "data")),
                *("worker", "--without-web", "--loglevel", "warn"),
            ],
            env={
                **os.environ,
                "COUNTING_ID": app_id,
                "COUNTING_BROKER": f"kafka://{address}",
            },
            stdout=log,
            stderr=log,
        )
