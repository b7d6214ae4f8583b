"""Test of workers that are killed, stopped and started at random: each request gets one answer.

``CATDOG_TEST_ROUNDS`` sets the number of rounds (1 by default), ``CATDOG_TEST_SEED`` the times.
"""

import asyncio
import os
import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.client import Client, request
from tests.support.fleet import Fleet

pytestmark = pytest.mark.integration

ROUNDS = int(os.environ.get("CATDOG_TEST_ROUNDS", "1"))
SEED = int(os.environ.get("CATDOG_TEST_SEED", "0"))


def mixed(pictures: list[bytes]) -> Iterator[bytes]:
    """Yield requests without end, one in seventeen of them bad."""
    for number in count():
        yield b"garbage" if number % 17 == 3 else request(pictures[number % len(pictures)])


def test_after_each_kill_of_the_only_worker_the_counts_equal_the_truth(
    broker_address: str, tmp_path: Path, cat: bytes, dog: bytes
) -> None:
    chance = random.Random(SEED)
    values = mixed([cat, dog])

    async def scenario() -> None:
        async with Fleet(broker_address, tmp_path) as fleet, Client(broker_address) as client:
            sources: list[str] = []
            for _ in range(ROUNDS):
                sources += await client.send([next(values) for _ in range(100)])
                await asyncio.sleep(chance.uniform(0, 2))
                fleet.vanish(0)
                await fleet.join()
                await fleet.prove(client, sources)

    asyncio.run(scenario())


@pytest.mark.long
def test_workers_that_join_leave_and_vanish_under_load_lose_and_double_nothing(
    broker_address: str, tmp_path: Path, cat: bytes, dog: bytes
) -> None:
    chance = random.Random(SEED + 1)
    values = mixed([cat, dog])

    async def scenario() -> None:
        async with Fleet(broker_address, tmp_path) as fleet, Client(broker_address) as client:
            await fleet.join()
            sources: list[str] = []
            over = asyncio.Event()

            async def flow() -> None:
                while not over.is_set():
                    sources.extend(await client.send([next(values) for _ in range(5)]))
                    await asyncio.sleep(0.15)

            flowing = asyncio.create_task(flow())
            for _ in range(ROUNDS):
                await asyncio.sleep(chance.uniform(0.5, 3))
                if len(fleet.workers) < 2:
                    await fleet.join()
                victim = chance.randrange(len(fleet.workers))
                if chance.random() < 0.5:
                    fleet.vanish(victim)
                else:
                    await fleet.leave(victim)
                if chance.random() < 0.3:
                    fleet.vanish(0)
                await fleet.join()
            over.set()
            await flowing
            await fleet.prove(client, sources)

    asyncio.run(scenario())
