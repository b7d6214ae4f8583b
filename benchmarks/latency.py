"""Milliseconds from sending a request to its label: idle, and at half and at most of the load.

    python -m benchmarks.latency --images DIR [--count 500] [--broker BROKER]

Against the model alone, on the same pictures in memory with the same engine and threads, one after
the other. It is measured before the worker starts and again when it has ended, because a shared
machine's speed drifts. "Idle" sends the next request when the last one's label has come. What one
worker can do with a backlog is measured first; then requests are sent at a share of that, at
random moments (a Poisson process), whether earlier ones are answered or not.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from aiokafka import AIOKafkaProducer

from benchmarks.backlog import create_topics, names, queue, skip_what_is_there
from benchmarks.brokers import broker_name, lend
from benchmarks.labels import Labels
from benchmarks.options import parser
from benchmarks.pictures import pictures
from benchmarks.report import report
from catdog_stream.settings import Settings
from catdog_stream.testing.worker import Worker
from catdog_stream.worker.inference import load_stack
from tests.support.client import MAX_BYTES, REQUESTS, request
from tests.support.fleet import GROUP

PERCENTILES = (50, 95, 99)
LOADS = (0.5, 0.8)
CAPACITY_PICTURES = 300
SEED = 0
#: Number of requests that are sent before the first one is measured.
FIRST_REQUESTS = 10


def main() -> None:
    """Run the measurement and print the report."""
    arguments = parser(__doc__)
    arguments.add_argument("--count", type=int, default=500, help="requests at each load (500)")
    options = arguments.parse_args()
    files = pictures(options.images, options.count)
    with lend(options.broker) as broker:
        before = _model_alone(files)
        capacity, loads = asyncio.run(_measure(broker.address, broker.folder, files))
        after = _model_alone(files)
    alone = _percentiles(before + after)
    measured = {name: _percentiles(values) for name, values in loads.items()}
    beyond = {name: value - alone[name] for name, value in measured["idle"].items()}
    report(
        f"Latency in milliseconds, from send to label, {options.count} requests at each load",
        {
            "model alone": _text(alone),
            **{name: _text(values) for name, values in measured.items()},
            "idle minus model alone": _text(beyond),
            "model alone, median before and after": (
                f"{np.median(before):.1f} and {np.median(after):.1f}"
            ),
            "labels/s with a backlog": f"{capacity:.1f}",
        },
        {
            "model_alone_ms": alone,
            "loads_ms": measured,
            "idle_minus_model_alone_ms": beyond,
            "capacity_per_s": capacity,
        },
        broker=broker_name(options.broker),
        output=options.output,
    )


def _percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    values = np.percentile(milliseconds, PERCENTILES)
    return {f"p{percent}": float(value) for percent, value in zip(PERCENTILES, values, strict=True)}


def _text(percentiles: dict[str, float]) -> str:
    return "   ".join(f"{name} {value:6.1f}" for name, value in percentiles.items())


def _model_alone(files: Sequence[bytes]) -> list[float]:
    stack = load_stack(Settings.from_environment())
    stack.warm_up()
    times = []
    for file in files:
        started = time.perf_counter()
        stack.classify([stack.prepare(file)])
        times.append((time.perf_counter() - started) * 1e3)
    stack.close()
    return times


async def _measure(
    address: str, folder: Path, files: Sequence[bytes]
) -> tuple[float, dict[str, list[float]]]:
    """Return labels per second with a backlog, and the milliseconds of each request by load."""
    await create_topics(address)
    await skip_what_is_there(address, GROUP)
    urls = names(FIRST_REQUESTS + CAPACITY_PICTURES + (1 + len(LOADS)) * len(files))
    producer = AIOKafkaProducer(bootstrap_servers=address, max_request_size=MAX_BYTES)
    with Worker(address, folder) as worker:
        await asyncio.to_thread(worker.wait_ready)
        async with producer, Labels(address, urls) as labels:
            client = _Client(address, producer, labels, iter(urls))
            await client.one_by_one(files[:FIRST_REQUESTS])
            idle = await client.one_by_one(files)
            capacity = await client.capacity(files)
            loads = {
                f"{load:.0%} load": await client.at_rate(files, load * capacity) for load in LOADS
            }
    return capacity, {"idle": idle, **loads}


class _Client:
    """Client that sends requests and measures the time until their labels arrive."""

    def __init__(
        self, address: str, producer: AIOKafkaProducer, labels: Labels, urls: Iterator[str]
    ) -> None:
        self._address = address
        self._producer = producer
        self._labels = labels
        self._urls = urls

    async def one_by_one(self, files: Sequence[bytes]) -> list[float]:
        """Return the milliseconds of each request, sent when the previous one has its answer."""
        return [await self._one(file) for file in files]

    async def at_rate(self, files: Sequence[bytes], per_s: float) -> list[float]:
        """Return the milliseconds of requests sent at random, ``per_s`` a second on average."""
        loop, random = asyncio.get_running_loop(), np.random.default_rng(SEED)
        moment, tasks = loop.time(), []
        for file in files:
            moment += random.exponential(1 / per_s)
            await asyncio.sleep(moment - loop.time())
            tasks.append(asyncio.create_task(self._one(file)))
        return await asyncio.gather(*tasks)

    async def capacity(self, files: Sequence[bytes]) -> float:
        """Return labels per second with a backlog."""
        there = self._labels.now().count
        urls = list(islice(self._urls, CAPACITY_PICTURES))
        await queue(self._address, urls, islice(cycle(files), CAPACITY_PICTURES))
        first = await self._labels.until(there + 1)
        last = await self._labels.until(there + CAPACITY_PICTURES)
        return (last.count - first.count) / (last.seconds - first.seconds)

    async def _one(self, file: bytes) -> float:
        url = next(self._urls)
        value = request(file, url)
        sent = time.perf_counter()
        await self._producer.send_and_wait(REQUESTS, value)
        return (await self._labels.of(url) - sent) * 1e3


if __name__ == "__main__":
    main()
