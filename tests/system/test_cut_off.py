"""Test of a worker that loses its network while it commits: a late write loses no count."""

import asyncio
import os
import random
from pathlib import Path

import pytest

from catdog_stream.broker import LocalKafka
from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.worker import Worker
from tests.support.client import Client, Message, request
from tests.support.fleet import SETTINGS, Fleet
from tests.support.proxy import Proxy, two_ways

pytestmark = [pytest.mark.integration, pytest.mark.long]

CUTS = int(os.environ.get("CATDOG_TEST_ROUNDS", "1"))
SEED = int(os.environ.get("CATDOG_TEST_SEED", "0"))
#: Longer than the session timeout: another worker takes over before the connection heals.
CUT_SECONDS = (13.0, 16.0)
LATENCY = (0.0, 0.3)


def test_a_worker_that_is_cut_off_in_the_middle_of_a_commit_overwrites_nothing(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, cat: bytes
) -> None:
    chance = random.Random(SEED)
    port, controller, inner, proxied = free_ports(4)
    kafka = LocalKafka(
        port,
        tmp_path_factory.mktemp("broker"),
        controller_port=controller,
        extra=two_ways(port, controller, inner, proxied),
    )

    async def scenario(proxy: Proxy) -> None:
        async with Fleet(kafka.address, tmp_path) as fleet, Client(kafka.address) as client:
            cut_off = Worker(proxy.address, tmp_path, settings=SETTINGS).start()
            fleet.workers.append(cut_off)
            await asyncio.to_thread(cut_off.wait_ready)
            sources: list[str] = []

            async def flow(over: asyncio.Event) -> None:
                while not over.is_set():
                    messages = [Message(request(cat), partition=number) for number in range(8)]
                    sources.extend(await client.send(messages))
                    await asyncio.sleep(0.4)

            for _ in range(CUTS):
                over = asyncio.Event()
                flowing = asyncio.create_task(flow(over))
                proxy.delay(chance.uniform(*LATENCY))
                await asyncio.sleep(chance.uniform(2, 4))
                proxy.stall(new_ones_too=True)
                await asyncio.sleep(chance.uniform(*CUT_SECONDS))
                # No later write may follow the delayed one, because it would hide a wrong count.
                over.set()
                await flowing
                await client.answers(sources)
                proxy.heal()
                await fleet.prove(client, sources)
            # Only the counts that a new worker reads are decisive.
            fleet.vanish(1)
            fleet.vanish(0)
            await fleet.join()
            await fleet.prove(client, sources)

    with kafka, Proxy(proxied, inner) as proxy:
        asyncio.run(scenario(proxy))
