"""Tests of rejected requests, which are replayed once, even if the command is interrupted."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import (
    MAX_BYTES,
    REJECTED,
    REQUESTS,
    Client,
    Message,
    header,
    request,
    strict_label,
)

pytestmark = pytest.mark.integration

SECONDS = 90
#: A process replays about a thousand requests a second.
MANY = 3000
LARGE = Path(__file__).parents[2] / "samples" / "cat-chelsea.png"


def start(address: str, *options: str) -> "subprocess.Popen[str]":
    """Start ``catdog-stream replay``."""
    return subprocess.Popen(
        [sys.executable, "-m", "catdog_stream", "replay", *options],
        env={**os.environ, "CATDOG_BROKER": f"kafka://{address}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def replay(address: str, *options: str) -> list[str]:
    """Run the command and return the lines on stdout."""
    process = start(address, *options)
    stdout, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, stderr
    return stdout.splitlines()


async def everything(address: str, topic: str) -> list[ConsumerRecord]:
    """Return all records of a topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address, max_partition_fetch_bytes=MAX_BYTES)
    await consumer.start()
    try:
        metadata = await consumer._client.fetch_all_metadata()
        tps = [TopicPartition(topic, n) for n in metadata.partitions_for_topic(topic) or ()]
        consumer.assign(tps)
        await consumer.seek_to_beginning(*tps)
        ends = await consumer.end_offsets(tps)
        records = []
        while [tp for tp in tps if await consumer.position(tp) < ends[tp]]:
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                records += batch
        return records
    finally:
        await consumer.stop()


def test_what_was_rejected_is_put_back_once_and_labelled_by_a_better_worker(
    tmp_path: Path, cat: bytes
) -> None:
    async def scenario(address: str) -> None:
        def settings(limit: int) -> dict[str, str]:
            return {"CATDOG_MAX_IMAGE_BYTES": str(limit)}

        # The command creates the topics, with a record limit that fits all requests below.
        assert await asyncio.to_thread(replay, address) == ["Replayed 0 requests."]
        messages = [
            Message(request(cat, "c3RyaWN0"), key=b"k", headers=[("h", b"1")], partition=5),
            Message(request(cat), partition=5),
            Message(request(cat), partition=2),
            Message(request(LARGE.read_bytes())),
            Message(request(b"no picture"), partition=1),
        ]
        # Older than --since, younger than the topics' retention.
        earlier = round((time.time() - 2 * 3600) * 1000)
        async with Client(address) as client:
            with Worker(address, tmp_path, settings=settings(10_000)) as strict:
                await asyncio.to_thread(strict.wait_ready)
                old = Message(request(b"old"), timestamp_ms=earlier)
                sources = await client.send([*messages, old])
                await client.answers(sources)
                assert await asyncio.to_thread(strict.terminate) == 0
            # As after a crash of the worker between the rejection and the commit.
            twice = client.rejected[sources[2]][0]
            await client.producer.send_and_wait(
                *(REJECTED, twice.value, twice.key, twice.partition),
                headers=list(twice.headers),
            )

            recent = ("--since", "1h")
            assert await asyncio.to_thread(replay, address, "--dry-run", *recent) == [
                "not_an_image: 0 requests; 1 would be rejected again.",
                "too_large: 3 requests; 1 had been replayed before; 1 had no picture.",
                "Would replay 3 requests; 1 had been replayed before; 1 had no picture; "
                "1 would be rejected again.",
                "Left out 1 request that would be rejected again. Name the reason to replay it "
                "all the same: --reason not_an_image",
            ]
            forced = ("--dry-run", *recent, "--reason", "not_an_image")
            assert await asyncio.to_thread(replay, address, *forced) == [
                "not_an_image: 1 request.",
                "Would replay 1 request.",
            ]
            assert await asyncio.to_thread(replay, address, "--since", "0s") == [
                "Replayed 0 requests."
            ]
            assert await asyncio.to_thread(replay, address, "--reason", "bad_url") == [
                "Replayed 0 requests."
            ]
            assert len(await everything(address, REQUESTS)) == len(sources)

            assert await asyncio.to_thread(replay, address, "--reason", "too_large") == [
                "Replayed 3 requests; 1 had been replayed before; 1 had no picture."
            ]
            assert await asyncio.to_thread(replay, address, "--reason", "too_large") == [
                "Replayed 0 requests; 4 had been replayed before; 1 had no picture."
            ]
            again = await everything(address, REQUESTS)
            replayed = [record for record in again if header(record, "replay-of")]
            assert len(again) == len(sources) + 3
            (first,) = [record for record in replayed if record.key]
            rejection = client.rejected[sources[0]][0]
            place = f"{REJECTED}/{rejection.partition}/{rejection.offset}"
            assert (first.key, first.value, first.partition) == (b"k", messages[0].value, 5)
            assert list(first.headers) == [("h", b"1"), ("replay-of", place.encode())]

            with Worker(address, tmp_path, settings=settings(1_000_000)) as patient:
                await asyncio.to_thread(patient.wait_ready)
                places = [f"{r.topic}/{r.partition}/{r.offset}" for r in replayed]
                await client.answers(places)
                labels = [client.labels[place][0] for place in places]
                assert {header(label, "verdict") for label in labels} == {"cat"}
                assert {header(label, "replay-of") for label in labels} >= {place}
                assert "c3RyaWN0" in {strict_label(label.value)["url"] for label in labels}

                def counted() -> bool:
                    counts = patient.get("/labels/")
                    return bool(counts["total"] == 3)

                wait_until(counted, "each to be counted once")

    with own_broker(tmp_path / "broker") as broker:
        asyncio.run(scenario(broker.address))


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_stopped_in_the_middle_it_goes_on_where_it_was(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Allow a second replay only of the one request between its two confirmations.

    It may occur only where the process had no time to end.
    """

    async def reject(address: str) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=address)
        await producer.start()
        try:
            for offset in range(MANY):
                headers = [("reason", b"r"), ("source", f"{REQUESTS}/1/{offset}".encode())]
                value = json.dumps({"data": "QQ=="}).encode()
                await producer.send(REJECTED, value, partition=1, headers=headers)
            await producer.flush()
        finally:
            await producer.stop()

    async def replayed(address: str) -> Counter[str | None]:
        return Counter(
            header(record, "replay-of") for record in await everything(address, REQUESTS)
        )

    with own_broker(tmp_path / "broker") as broker:
        assert replay(broker.address) == ["Replayed 0 requests."]
        asyncio.run(reject(broker.address))
        process = start(broker.address)
        wait_until(
            lambda: asyncio.run(replayed(broker.address)).total() >= 10, "requests to be replayed"
        )
        process.send_signal(number)
        stdout, _ = process.communicate(timeout=SECONDS)
        before = asyncio.run(replayed(broker.address)).total()
        assert 10 <= before < MANY, "it was to be stopped in the middle"
        assert (process.returncode == 0) == (number != signal.SIGKILL)
        (summary,) = replay(broker.address)
        counts = asyncio.run(replayed(broker.address))
        assert len(counts) == MANY
        if number == signal.SIGKILL:
            assert counts.total() <= MANY + 1
        else:
            assert counts.total() == MANY
            assert stdout.splitlines() == [
                f"Replayed {before} requests.",
                "Stopped before the end: call it again for the rest.",
            ]
            assert summary.startswith(f"Replayed {MANY - before} requests; {before} had been ")
