"""What the benchmarks share: pictures, a broker, results as a table and as JSON."""

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from catdog_stream.broker import EmbeddedBroker
from tests.support.client import LABELS, MAX_BYTES, REQUESTS
from tests.support.ports import free_ports

__all__ = [
    "cpu_seconds",
    "machine",
    "memory_mb",
    "parser",
    "pictures",
    "queue",
    "report",
    "running_broker",
    "spread",
    "until_labelled",
]

PARTITIONS = 8
LABEL_TIMEOUT = 120.0

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})


def parser(description: str | None) -> argparse.ArgumentParser:
    """An argument parser with the options that all benchmarks share."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument(
        "--images",
        type=Path,
        default=Path("samples"),
        help="a folder of pictures, searched through (the samples)",
    )
    result.add_argument(
        "--broker", help="HOST:PORT of a Kafka cluster (an embedded broker of its own)"
    )
    result.add_argument("--output", type=Path, help="write the figures there, as JSON")
    return result


def pictures(folder: Path, count: int) -> list[bytes]:
    """``count`` picture files of ``folder``, from the beginning again where there are too few."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not files:
        raise SystemExit(f"There is no picture in {folder}.")
    # Evenly from the whole list: the folders are classes.
    chosen = [files[index * len(files) // count] for index in range(count)]
    contents = {file: file.read_bytes() for file in set(chosen)}
    return [contents[file] for file in chosen]


@contextmanager
def running_broker(address: str | None) -> Iterator[tuple[str, Path]]:
    """The address of the broker to measure on, and a folder for what runs there."""
    with tempfile.TemporaryDirectory(prefix="catdog-benchmark-") as name:
        folder = Path(name)
        if address is not None:
            yield address, folder
            return
        with EmbeddedBroker(free_ports(1)[0], folder / "broker") as broker:
            yield broker.address, folder


async def queue(address: str, values: Iterable[bytes]) -> None:
    """Publish requests, all before anybody reads them."""
    producer = AIOKafkaProducer(bootstrap_servers=address, max_request_size=MAX_BYTES)
    await producer.start()
    try:
        await asyncio.gather(*[await producer.send(REQUESTS, value) for value in values])
    finally:
        await producer.stop()


@asynccontextmanager
async def until_labelled(address: str, count: int) -> AsyncIterator["asyncio.Task[float]"]:
    """A task that ends with the labels per second, from the first to the last of ``count``."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address)
    await consumer.start()
    await consumer._client.fetch_all_metadata()
    numbers = consumer._client.cluster.partitions_for_topic(LABELS) or set(range(PARTITIONS))
    partitions = [TopicPartition(LABELS, number) for number in numbers]
    consumer.assign(partitions)
    await consumer.seek_to_end(*partitions)
    for partition in partitions:
        await consumer.position(partition)

    async def rate() -> float:
        first = last = 0.0
        seen = early = 0
        while seen < count:
            records = await asyncio.wait_for(consumer.getmany(timeout_ms=500), LABEL_TIMEOUT)
            arrived = sum(map(len, records.values()))
            if arrived:
                last = time.perf_counter()
                if not seen:
                    first, early = last, arrived
                seen += arrived
        return (seen - early) / (last - first)

    task = asyncio.create_task(rate())
    try:
        yield task
    finally:
        task.cancel()
        await consumer.stop()


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used, of all its threads."""
    return sum(psutil.Process(pid).cpu_times()[:2])


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def spread(values: Sequence[float]) -> str:
    """Median, and the smallest and largest of several rounds."""
    return f"{median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {"cpu": model, "cores": os.cpu_count(), "python": platform.python_version()}


def report(
    title: str, rows: Mapping[str, str], figures: Mapping[str, Any], output: Path | None
) -> None:
    """Print a table; write the figures as JSON if asked to."""
    width = max(map(len, rows))
    print(f"\n{title}")
    for name, text in rows.items():
        print(f"  {name:<{width}}  {text}")
    if output is not None:
        document = {"benchmark": title, "machine": machine(), **figures}
        output.write_text(json.dumps(document, indent=2) + "\n")
