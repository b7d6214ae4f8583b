"""Test of topics that existed before the application, with different numbers of partitions."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from catdog_stream.broker import LocalKafka
from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import LABELS, REJECTED, REQUESTS, Client, Message, request

pytestmark = [pytest.mark.integration, pytest.mark.long]


async def create(address: str, partitions: dict[str, int]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, count, 1) for name, count in partitions.items()])
    finally:
        await admin.close()


def test_topics_with_different_numbers_of_partitions_are_answered_and_counted(
    tmp_path: Path, cat: bytes
) -> None:
    """Check the partition of a label: the request's partition modulo the number of partitions."""

    async def scenario(broker: LocalKafka) -> None:
        async with Client(broker.address) as client:
            messages = [Message(request(cat), partition=number % 5) for number in range(10)]
            messages += [Message(b"not json", partition=number) for number in range(5)]
            sources = await client.send(messages)
            await client.answers(sources)
            for records, count in ((client.labels, 3), (client.rejected, 2)):
                for source, (record,) in records.items():
                    assert record.partition == int(source.split("/")[1]) % count
            assert Counter(source in client.labels for source in sources) == {True: 10, False: 5}

    with LocalKafka(free_ports(1)[0], tmp_path / "broker") as broker:
        asyncio.run(create(broker.address, {REQUESTS: 5, LABELS: 3, REJECTED: 2}))
        with Worker(broker.address, tmp_path) as worker:
            worker.wait_ready()
            asyncio.run(scenario(broker))
            wait_until(
                lambda: worker.get("/labels/")["total"] + worker.get("/labels/")["rejected"] == 15,
                "all answers to be counted",
            )
            assert worker.get("/labels/")["labels"] == {"cat": 10}
            assert worker.terminate() == 0
