"""Tests of workers that are killed during rollouts; each request has one answer.

The answer is from a stack that was in force. ``CATDOG_TEST_ROUNDS`` sets the number of rounds (1 by
default), ``CATDOG_TEST_SEED`` the times of the kills.
"""

import asyncio
import json
import os
import random
import subprocess
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from catdog_stream.testing import own_broker
from tests.support.client import Client, header, request
from tests.support.fleet import SETTINGS, Fleet
from tests.support.load import loaded
from tests.support.stacks import DEFAULT, add, command, in_header, with_golden

pytestmark = [pytest.mark.integration, pytest.mark.long]

ROUNDS = int(os.environ.get("CATDOG_TEST_ROUNDS", "1"))
SEED = int(os.environ.get("CATDOG_TEST_SEED", "0"))
#: Seconds from a deployment to the kill: the start of the command, the rollout, and some time after
#: it.
WHEN = (0.5, 3.5)

OWN, NEW = in_header(DEFAULT), "pets 2"
#: The second stack has its classes in the opposite order: a mix-up would show.
BEGINS = {OWN: "Probabilities: cat", NEW: "Probabilities: dog"}


class Scenario:
    """Fleet under load, in which a worker is killed at each deployment."""

    def __init__(self, fleet: Fleet, client: Client, folder: Path, seed: int, cat: bytes) -> None:
        self.fleet, self.client = fleet, client
        self.sources: list[str] = []
        self._address, self._folder = client.address, folder
        self._chance = random.Random(seed)
        self._request = request(cat)

    async def order(
        self, *arguments: str, serves: str, kill: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Deploy a stack, kill a worker meanwhile and start another; check the serving stack."""
        ordering = asyncio.create_task(
            asyncio.to_thread(command, self._address, self._folder, *arguments)
        )
        if kill:
            await asyncio.sleep(self._chance.uniform(*WHEN))
            self.fleet.vanish(self._chance.randrange(len(self.fleet.workers)))
            await self.fleet.join()
        done = await ordering
        later = await self.client.send([self._request] * 16)
        await self.client.answers(later, deadline=120)
        self.sources += later
        stacks = {header(first(self.client.labels[source]), "stack") for source in later}
        assert stacks == {serves}, f"after {arguments}, {done.stdout} {done.stderr}"
        return done


def first(records: list[ConsumerRecord]) -> ConsumerRecord:
    return min(records, key=lambda record: record.offset)


def test_workers_are_killed_in_a_swap_in_a_refusal_and_in_a_rollback(
    tmp_path: Path, cat: bytes
) -> None:
    folder = tmp_path / "stacks"
    add(folder, "pets", "2", classes=["dog", "cat"])
    with_golden(folder, "pets", "3", cat=0.0, dog=1.0)

    async def play(address: str, seed: int) -> None:
        settings = {**SETTINGS, "CATDOG_STACKS": str(folder)}
        async with Fleet(address, tmp_path, settings) as fleet, Client(address) as client:
            await fleet.join()
            scenario = Scenario(fleet, client, folder, seed, cat)
            async with loaded(client, request(cat), at_once=3) as sources:
                used = await scenario.order("use", "pets/2", serves=NEW)
                assert used.returncode == 0, used.stdout + used.stderr
                refused = await scenario.order("use", "pets/3", serves=NEW)
                assert refused.returncode == 1, refused.stdout
                assert (
                    refused.stdout.count(
                        f"{NEW} stays in service: The stack pets/3 takes its golden"
                    )
                    == 2
                )
                back = await scenario.order("rollback", serves=NEW, kill=False)
                assert "Back to pets/2." in back.stdout
                back = await scenario.order("rollback", serves=OWN)
                assert back.returncode == 0, back.stdout + back.stderr
            await fleet.prove(client, sources + scenario.sources)
            for record in (each for records in client.labels.values() for each in records):
                text = json.loads(record.value or b"")["label"]
                assert text.startswith(BEGINS[header(record, "stack") or ""])

    with own_broker(tmp_path / "broker") as broker:
        for number in range(ROUNDS):
            asyncio.run(play(broker.address, SEED + number))
