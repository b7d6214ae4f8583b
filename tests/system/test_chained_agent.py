"""Test of the README's example of a chained agent, as the README prints it."""

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.worker import PATIENCE, Worker
from tests.support import examples
from tests.support.client import LABELS, Client, header, request, strict_label
from tests.support.command import Command

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("worker"), pytest.mark.long]

CATS = "cats"
HEARD = "heard"


def test_it_passes_cats_on_and_survives_what_it_cannot_read(
    broker_address: str, tmp_path: Path, cat: bytes, dog: bytes
) -> None:
    (tmp_path / "cats.py").write_text(examples.CATS)
    environment = {**os.environ, "CATDOG_BROKER": f"kafka://{broker_address}"}
    arguments = [sys.executable, *examples.command_for_cats()]
    with Command(arguments, environment, tmp_path) as chained:
        asyncio.run(_scenario(chained, broker_address, cat, dog))


def test_one_that_is_part_of_the_worker_gets_every_label(tmp_path: Path, cat: bytes) -> None:
    async def scenario(address: str) -> None:
        async with (
            Client(address) as client,
            AIOKafkaConsumer(
                HEARD, bootstrap_servers=address, auto_offset_reset="earliest"
            ) as consumer,
        ):
            sources = await client.send([request(cat)] * 5)
            await client.answers(sources)
            async with asyncio.timeout(PATIENCE):
                heard = [(await anext(consumer)).value for _ in sources]
            assert sorted(heard) == sorted(client.labels[source][0].value for source in sources)

    with own_broker(tmp_path / "broker") as broker:
        module = "tests.support.listening_worker"
        with Worker(broker.address, tmp_path, module=module) as worker:
            worker.wait_ready()
            asyncio.run(scenario(broker.address))


async def _scenario(chained: Command, address: str, cat: bytes, dog: bytes) -> None:
    async with Client(address) as client:
        await _send_what_nobody_can_read(address)
        sources = await client.send([request(cat), request(dog), request(cat)])
        await client.answers(sources)
        wanted = {sources[0], sources[2]}
        passed = await _read_cats(address, wanted)
        for source in wanted:
            (label,) = client.labels[source]
            (record,) = passed[source]
            assert record.value == label.value
            assert "cat 9" in strict_label(record.value)["label"]
            assert dict(record.headers) == dict(label.headers)
        assert sources[1] not in passed
    assert chained.process.poll() is None
    listening = [
        connection.laddr
        for connection in psutil.Process(chained.process.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert not listening, "a worker beside it has the port, and the network has no business there"
    assert "Traceback" not in chained.output()


async def _send_what_nobody_can_read(address: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        for partition in range(8):
            for value in (b"", b"not json", b"\xff\xfe"):
                await producer.send_and_wait(LABELS, value, partition=partition)
            await producer.send_and_wait(LABELS, None, key=b"\xff", partition=partition)
            odd = [("verdict", b"\xff"), ("verdict", None)]
            await producer.send_and_wait(LABELS, b"{}", headers=odd, partition=partition)


async def _read_cats(address: str, wanted: set[str]) -> dict[str, list[ConsumerRecord]]:
    """Return all records of the topic up to those with the ``wanted`` sources."""
    consumer = AIOKafkaConsumer(
        CATS, bootstrap_servers=address, auto_offset_reset="earliest", metadata_max_age_ms=500
    )
    found: dict[str, list[ConsumerRecord]] = {}
    async with asyncio.timeout(PATIENCE), consumer:
        async for record in consumer:
            found.setdefault(header(record, "source") or "", []).append(record)
            if wanted <= found.keys():
                return found
    raise AssertionError("the topic ended")
