"""Tests of wrong counts, which are corrected from the records in the topics."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata
from confluent_kafka import OFFSET_END
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient

from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import LABELS, REJECTED, REQUESTS, Client, Message, request
from tests.support.fleet import GROUP, nothing_uncommitted

pytestmark = pytest.mark.integration

TRUTH = {"total": 4, "rejected": 2}


def test_wrong_counts_are_corrected_while_workers_run_and_while_none_does(
    tmp_path: Path, cat: bytes
) -> None:
    with own_broker(tmp_path / "broker") as broker:
        with Worker(broker.address, tmp_path) as worker:
            worker.wait_ready()
            asyncio.run(send(broker.address, cat))
            counts(worker, TRUTH)
            asyncio.run(nothing_uncommitted(broker.address))
        assert recount(broker.address) == [
            "6 answers are counted, 6 are in the topics: nothing differs."
        ]

        asyncio.run(forge(broker.address, 0, {"labels": {"cat": 100}, "rejections": {}}))
        with Worker(broker.address, tmp_path) as worker:
            worker.wait_ready()
            counts(worker, {"total": 102, "rejected": 1})
            differs, summary, end = recount(broker.address)
            assert (
                differs == f"{REQUESTS}/0: 100 cat counted, 2 there; 0 not_json counted, 1 there."
            )
            assert (
                summary == "103 answers are counted, 6 are in the topics: 1 partition to correct."
            )
            assert end == "Corrected."
            counts(worker, TRUTH)

        asyncio.run(forge(broker.address, 0, {"labels": {}, "rejections": {"internal_error": 9}}))
        assert recount(broker.address, "--dry-run")[-1].endswith("1 partition to correct.")
        assert recount(broker.address)[-1].startswith("No worker runs")
        with Worker(broker.address, tmp_path) as worker:
            worker.wait_ready()
            counts(worker, TRUTH)
            asyncio.run(nothing_uncommitted(broker.address))

        # The retention of a topic deletes records in the same way.
        admin = AdminClient({"bootstrap.servers": broker.address})
        for deleted in admin.delete_records([Place(LABELS, 0, OFFSET_END)]).values():
            deleted.result(30)
        dry = recount(broker.address, "--dry-run")
        assert f"{LABELS}/0: its oldest records are deleted." in dry
        assert (
            f"{REQUESTS}/0: 2 of the answers that are counted may be among those that are deleted."
            in dry
        )
        refused = command(broker.address)
        assert refused.returncode == 1
        assert "Nothing is corrected." in refused.stderr
        assert "recount --forget-deleted" in refused.stderr
        assert recount(broker.address, "--forget-deleted")[-1].startswith("No worker runs")
        with Worker(broker.address, tmp_path) as worker:
            worker.wait_ready()
            counts(worker, {"total": 2, "rejected": 3})


async def send(address: str, cat: bytes) -> None:
    """Send two pictures and an invalid request to each of two partitions.

    One picture gets two labels, and another gets a rejection as well, in the name of a worker that
    died before it committed them.
    """
    async with Client(address) as client:
        values = (request(cat), request(cat), b"no JSON")
        sources = await client.send(
            Message(value, partition=number) for value in values for number in (0, 1)
        )
        await client.answers(sources)
        (again,) = client.labels[sources[0]]
        async with AIOKafkaProducer(bootstrap_servers=address) as producer:
            await producer.send_and_wait(
                LABELS, again.value, headers=list(again.headers), partition=again.partition
            )
            (other,) = client.labels[sources[2]]
            await producer.send_and_wait(
                REJECTED,
                other.value,
                headers=[*other.headers, ("reason", b"timeout")],
                partition=other.partition,
                timestamp_ms=other.timestamp,
            )


async def forge(address: str, partition: int, counts: Mapping[str, Any]) -> None:
    """Commit other counts in the name of the application, which may have no running member."""
    tp = TopicPartition(REQUESTS, partition)
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        before = (await admin.list_consumer_group_offsets(GROUP))[tp]
    finally:
        await admin.close()
    metadata = orjson.dumps({**counts, "offset": before.offset}).decode()
    async with AIOKafkaConsumer(
        bootstrap_servers=address, group_id=GROUP, enable_auto_commit=False
    ) as consumer:
        consumer.assign([tp])
        await consumer.commit({tp: OffsetAndMetadata(before.offset, metadata)})


def counts(worker: Worker, truth: Mapping[str, int]) -> None:
    """Wait until the worker shows ``truth``."""
    wait_until(
        lambda: {key: worker.get("/labels/")[key] for key in truth} == truth, f"the counts {truth}"
    )


def command(
    address: str, *options: str, app: str = "catdog_stream"
) -> "subprocess.CompletedProcess[str]":
    """Call the command."""
    line = [sys.executable, "-m", "catdog_stream", "recount", *options]
    environment = {"CATDOG_BROKER": f"kafka://{address}", "PATH": "/usr/bin:/bin"}
    environment["CATDOG_APP"] = app
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=90)


def recount(address: str, *options: str) -> list[str]:
    """Return the output of the command where it corrects or has nothing to correct."""
    done = command(address, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
