"""Orders for stacks: what is read of them, and what strangers write."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from catdog_stream.kafka.orders import TOPIC, Order, Report, follow, give, latest, report
from catdog_stream.settings import Settings
from catdog_stream.testing import own_broker

pytestmark = pytest.mark.integration

SECONDS = 30.0
HOSTILE: list[tuple[bytes | None, bytes | None]] = [
    (b"use", b"not JSON"),
    (b"use", b"[]"),
    (b"use", b"{}"),
    (b"use", b'{"stack": 7}'),
    (b"use", b'{"stack": "a/1", "history": 3}'),
    (b"use", b'{"stack": "a/1", "history": [3]}'),
    (b"use", None),
    (b"\xff", b'{"order": 1, "stack": "x", "problem": null}'),
    (b"worker", b'{"order": "?", "stack": "x", "problem": null}'),
    (b"worker", b'{"order": 1}'),
]


def test_the_last_order_is_in_force_whatever_else_stands_there(tmp_path: Path) -> None:
    with own_broker(tmp_path) as broker:
        cluster = Settings(broker=f"kafka://{broker.address}").cluster

        async def story() -> None:
            assert await latest(cluster) is None
            first = await give(cluster, "pets/1", (None,))
            await report(cluster, Report("http://one", first.offset, "pets 1"))
            second = await give(cluster, "pets/2", ("pets/1", None))
            async with AIOKafkaProducer(bootstrap_servers=broker.address) as producer:
                for key, value in HOSTILE:
                    await producer.send_and_wait(TOPIC, value, key=key, partition=0)
            assert await latest(cluster) == second
            assert second == Order(2, "pets/2", ("pets/1", None))
            third = await give(cluster, None, ("x",) * 50)
            assert len(third.history) == 20
            news = []
            async for each in follow(cluster, 0):
                news.append(each)
                if each == third:
                    break
            assert news == [first, Report("http://one", 0, "pets 1"), second, third]

        asyncio.run(asyncio.wait_for(story(), SECONDS))
