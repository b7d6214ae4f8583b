"""Tests of stored requests that another stack classifies again into another topic."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from catdog_stream.broker import LocalKafka
from catdog_stream.kafka.cluster import admin, create_kept, create_topics
from catdog_stream.kafka.cluster import group_offsets as offsets_of
from catdog_stream.settings import Settings
from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import LABELS, REJECTED, REQUESTS, Client, Message, header, request
from tests.support.configured import configuration
from tests.support.python_classes import grey
from tests.system.test_replay import everything

pytestmark = [pytest.mark.integration, pytest.mark.long]

SECONDS = 120
CLASSES = "tests.support.python_classes:"
OUT = "again"
MANY = 12_000
#: Dark for both classes, dark for one, and light for both; and no picture.
DARK, GREY, LIGHT = (request(grey(value)) for value in (10, 100, 250))
BAD = request(b"no picture")


def start(address: str, *options: str, **settings: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "catdog_stream", "reclassify", *options],
        env={**os.environ, "CATDOG_BROKER": f"kafka://{address}", **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def reclassify(address: str, *options: str, **settings: str) -> list[str]:
    process = start(address, *options, **settings)
    stdout, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, stderr
    return stdout.splitlines()


@asynccontextmanager
async def counting(address: str, topic: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Yield a function that returns the number of records in a topic, 0 if there is none yet."""
    async with AIOKafkaConsumer(bootstrap_servers=address) as consumer:

        async def count() -> int:
            metadata = await consumer._client.fetch_all_metadata()
            tps = [TopicPartition(topic, n) for n in metadata.partitions_for_topic(topic) or ()]
            return sum((await consumer.end_offsets(tps)).values()) if tps else 0

        yield count


async def stop_in_the_middle(address: str, number: signal.Signals, *options: str) -> str:
    """Start the command, send a signal once it has written some labels, and return its output."""
    async with counting(address, OUT) as count:
        before = await count()
        process = start(address, *options)
        end = time.monotonic() + SECONDS
        while await count() < before + 500:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        process.send_signal(number)
        stdout, stderr = await asyncio.to_thread(process.communicate)
        assert stderr == ""
        assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
        return stdout


def group_offsets(address: str, group: str) -> dict[tuple[str, int], tuple[int, str]]:
    async def ask() -> dict[tuple[str, int], tuple[int, str]]:
        async with admin(Settings(broker=f"kafka://{address}").cluster) as client:
            found = await offsets_of(client, group)
        return {(tp.topic, tp.partition): (at.offset, at.metadata) for tp, at in found.items()}

    return asyncio.run(ask())


def test_killed_in_the_middle_the_same_command_labels_each_request_once(tmp_path: Path) -> None:
    sent_at = time.time()

    async def fill(address: str) -> list[str]:
        values = [BAD, *([DARK, GREY, LIGHT] * (MANY // 3)), b"{"]
        time_ms = round(sent_at * 1000)
        old = Message(LIGHT, timestamp_ms=time_ms - 3_600_000)
        async with Client(address) as client:
            await client.send([old])
            return await client.send([Message(value, timestamp_ms=time_ms) for value in values])

    async def outside(address: str) -> set[tuple[str, int, int]]:
        records = [
            record
            for topic in (REQUESTS, LABELS, REJECTED)
            for record in await everything(address, topic)
        ]
        return {(record.topic, record.partition, record.offset) for record in records}

    with own_broker(tmp_path / "broker") as broker:
        address = broker.address
        with Worker(address, tmp_path, settings={"CATDOG_CLASSIFIER": f"{CLASSES}First"}) as worker:
            worker.wait_ready()
            sources = asyncio.run(fill(address))
            wait_until(lambda: worker.get("/labels/")["total"] == MANY + 1, "labels", SECONDS)
            assert worker.terminate() == 0
        before = asyncio.run(outside(address)), group_offsets(address, "catdog_stream")

        since = f"{time.time() - sent_at + 20:.0f}s"
        options = ("--since", since, "--stack", f"{CLASSES}Lenient", "--to", OUT, "--compare")
        assert asyncio.run(stop_in_the_middle(address, signal.SIGKILL, *options)) == ""
        time.sleep(22)  # now the requests are older than that
        stopped = asyncio.run(stop_in_the_middle(address, signal.SIGTERM, *options))
        assert stopped.endswith("Stopped before the end: call it again for the rest.\n")
        lines = reclassify(address, *options)

        labels = asyncio.run(everything(address, OUT))
        assert Counter(header(label, "source") for label in labels) == Counter(sources[1:-1])
        assert Counter(header(label, "verdict") for label in labels) == {
            "dark": MANY // 3,
            "light": MANY // 3 * 2,
        }
        assert {header(label, "stack") for label in labels} == {"lenient 1"}
        written, rejected, agreement, *table = lines
        assert f"which has {MANY} for requests since" in written
        assert rejected == "Rejected, and got no label: 1 not_an_image, 1 not_json."
        assert agreement.startswith(
            f"The verdict is that in catdoglabel for 66.67% of {MANY} requests (65."
        )
        assert [row.split() for row in table] == [
            ["new", "dark", "new", "light"],
            ["old", "dark", str(MANY // 3), str(MANY // 3)],
            ["old", "light", "0", str(MANY // 3)],
        ]
        assert (asyncio.run(outside(address)), group_offsets(address, "catdog_stream")) == before


def test_ranges_and_stacks_share_a_topic_and_nothing_is_written_twice(tmp_path: Path) -> None:
    now = time.time()

    def ago(hours: float) -> int:
        return round((now - 3600 * hours) * 1000)

    async def fill(address: str) -> list[str]:
        async with Client(address) as client:
            return await client.send([Message(LIGHT, b"k", timestamp_ms=ago(n)) for n in range(6)])

    def of(labels: list[ConsumerRecord], stack: str) -> set[str | None]:
        return {header(each, "source") for each in labels if header(each, "stack") == stack}

    with own_broker(tmp_path / "broker") as broker:
        address = broker.address
        asyncio.run(create_topics(Settings(broker=f"kafka://{address}").cluster))
        sources = asyncio.run(fill(address))
        lenient = ("--stack", f"{CLASSES}Lenient", "--to", OUT)
        since, until = (
            datetime.fromtimestamp(ago(hours) / 1000, UTC).isoformat() for hours in (3.5, 1.5)
        )
        wrote = "Wrote {} labels of {} to again, which has {} for requests since "
        (line,) = reclassify(address, "--since", since, "--until", until, *lenient)
        assert line.startswith(wrote.format(2, "lenient 1", 2))
        labels = asyncio.run(everything(address, OUT))
        assert of(labels, "lenient 1") == set(sources[2:4])
        assert {(each.key, each.timestamp) for each in labels} == {(b"k", ago(2)), (b"k", ago(3))}
        (line,) = reclassify(address, "--since", "1d", *lenient)
        assert line.startswith(wrote.format(4, "lenient 1", 6))
        line, compared = reclassify(
            address, "--since", "1d", "--to", OUT, "--compare", CATDOG_CLASSIFIER=f"{CLASSES}First"
        )
        assert line.startswith(wrote.format(6, "first 1", 6))
        assert compared == (
            "No request has a label in catdoglabel, too: there is nothing to compare."
        )
        labels = asyncio.run(everything(address, OUT))
        assert len(labels) == 12
        assert of(labels, "lenient 1") == of(labels, "first 1") == set(sources)


def test_a_new_topic_keeps_its_records_whatever_the_defaults_of_the_brokers(tmp_path: Path) -> None:
    defaults = {"log.cleanup.policy": "compact,delete", "log.retention.bytes": "1000"}
    with LocalKafka(free_ports(1)[0], tmp_path / "broker", extra=defaults) as broker:
        cluster = Settings(broker=f"kafka://{broker.address}").cluster
        assert asyncio.run(create_kept(cluster, OUT, 2)) == 2
        kept = configuration(broker.address, OUT)
        names = ("cleanup.policy", "retention.bytes", "retention.ms")
        assert [kept[name] for name in names] == ["delete", "-1", "-1"]


def test_what_is_missing_is_one_sentence(tmp_path: Path) -> None:
    with own_broker(tmp_path / "broker") as broker:
        options = ("--since", "1h", "--to", OUT)
        for more, settings, expected in (
            ((), {}, "Kafka has no topic catdogimage: there are no requests."),
            ((), {"CATDOG_CREATE_TOPICS": "off"}, "Kafka has no topic again: CATDOG_CREATE_TOPICS"),
            (("--stack", "no/1"), {}, "There is no model stack at no/1."),
        ):
            process = start(broker.address, *options, *more, **settings)
            stdout, stderr = process.communicate(timeout=SECONDS)
            assert (stdout, process.returncode, stderr.count("\n")) == ("", 1, 1)
            assert stderr.startswith(f"Error: {expected}")
            asyncio.run(create_topics(Settings(broker=f"kafka://{broker.address}").cluster))
