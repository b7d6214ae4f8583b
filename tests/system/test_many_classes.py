"""Test of 1,000 classes: each label has its exact count, after a kill and without the changelog."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from catdog_stream.kafka.names import changelog_of
from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import Client, request
from tests.support.fleet import SETTINGS, Fleet
from tests.support.names import GROUP
from tests.support.thousand_classes import CLASSES, pictures
from tests.system.test_recount import command

pytestmark = [pytest.mark.integration, pytest.mark.long]

CLASSIFIER = {**SETTINGS, "CATDOG_CLASSIFIER": "tests.support.thousand_classes:Thousand"}


def test_each_of_a_thousand_labels_is_counted_once(tmp_path: Path) -> None:
    values = [request(picture) for picture in pictures(range(len(CLASSES)))]
    truth = {name: 1 + (number % 2 == 0) for number, name in enumerate(CLASSES)}

    async def classify(address: str) -> None:
        async with Fleet(address, tmp_path, CLASSIFIER) as fleet, Client(address) as client:
            sources = await client.send(values)
            await asyncio.sleep(1)
            fleet.vanish(0)
            sources += await client.send(values[::2])
            await fleet.join()
            await fleet.prove(client, sources)
            assert fleet.workers[0].get("/labels/")["labels"] == truth
            assert fleet.workers[0].get(f"/labels/{CLASSES[700]}/")["count"] == 2

    with own_broker(tmp_path / "broker") as broker:
        asyncio.run(classify(broker.address))
        assert "nothing differs" in command(broker.address, "--dry-run").stdout
        kafka = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
        deleted = changelog_of(GROUP, "label_counts")
        kafka.delete_topics([deleted])[deleted].result()
        del kafka
        with Worker(broker.address, tmp_path, settings=CLASSIFIER) as worker:
            worker.wait_ready()
            assert "which held the counts" in worker.log.read_text()
            assert len(worker.get("/labels/")["labels"]) < len(CLASSES)
            part = command(broker.address)
            assert "Call it again" in part.stderr
            for _ in range(10):
                if (done := command(broker.address)).returncode == 0:
                    break
            assert done.stdout.endswith("Corrected.\n")
            wait_until(lambda: Counter(worker.get("/labels/")["labels"]) == truth, "the counts")
