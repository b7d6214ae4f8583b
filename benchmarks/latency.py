"""Milliseconds from sending a request to its label: idle, and at half and at most of the load.

    python -m benchmarks.latency --images DIR [--count 200] [--broker HOST:PORT]

Against the model alone on one picture in memory.
"""

import asyncio
import time
from collections.abc import Sequence

import numpy as np
from aiokafka import AIOKafkaProducer

from benchmarks.harness import parser, pictures, report, running_broker
from catdog_stream.classifying import load_stack
from catdog_stream.settings import Settings
from tests.support.client import MAX_BYTES, REQUESTS, Client, request
from tests.support.worker import Worker

LOADS = (0.5, 0.8)
CAPACITY_PICTURES = 300


def main() -> None:
    """Measure and report."""
    arguments = parser(__doc__)
    arguments.add_argument("--count", type=int, default=200, help="requests measured (200)")
    options = arguments.parse_args()
    files = pictures(options.images, options.count)
    alone = _model_alone(files)
    with (
        running_broker(options.broker) as (address, folder),
        Worker(address, folder) as worker,
    ):
        worker.wait_ready()
        measured = asyncio.run(_measure(address, files))
    figures = {"model alone": alone, **measured}
    report(
        "Latency in milliseconds, from send to label",
        {name: _percentiles(values) for name, values in figures.items()},
        {
            name: {f"p{p}_ms": float(np.percentile(values, p)) for p in (50, 95, 99)}
            for name, values in figures.items()
        },
        options.output,
    )


def _percentiles(values: Sequence[float]) -> str:
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    return f"p50 {p50:6.1f}   p95 {p95:6.1f}   p99 {p99:6.1f}"


def _model_alone(files: list[bytes]) -> list[float]:
    stack = load_stack(Settings.from_environment())
    stack.warm_up()
    times = []
    for file in files:
        started = time.perf_counter()
        stack.classify([stack.prepare(file)])
        times.append((time.perf_counter() - started) * 1e3)
    stack.close()
    return times


async def _measure(address: str, files: list[bytes]) -> dict[str, list[float]]:
    async with Client(address) as client:
        producer = AIOKafkaProducer(bootstrap_servers=address, max_request_size=MAX_BYTES)
        await producer.start()

        async def one(file: bytes) -> float:
            started = time.perf_counter()
            record = await producer.send_and_wait(REQUESTS, request(file))
            source = f"{record.topic}/{record.partition}/{record.offset}"
            while source not in client.labels:
                await asyncio.sleep(0.0005)
            return (time.perf_counter() - started) * 1e3

        for file in files[:10]:
            await one(file)
        result = {"idle": [await one(file) for file in files]}
        started = time.perf_counter()
        many = [files[number % len(files)] for number in range(CAPACITY_PICTURES)]
        await client.answers(await client.send(map(request, many)))
        capacity = CAPACITY_PICTURES / (time.perf_counter() - started)
        for load in LOADS:
            random = np.random.default_rng(0)
            tasks = []
            for file in files:
                tasks.append(asyncio.create_task(one(file)))
                await asyncio.sleep(random.exponential(1 / (capacity * load)))
            result[f"{load:.0%} of {capacity:.0f} pictures/s"] = await asyncio.gather(*tasks)
        await producer.stop()
        return result


if __name__ == "__main__":
    main()
