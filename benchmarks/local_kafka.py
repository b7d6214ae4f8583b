"""Cost of the local Kafka: its start, its memory, and its CPU time when idle."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaProducer

from benchmarks.backlog import create_topics
from benchmarks.processes import cpu_seconds, memory_mb
from catdog_stream.broker import LocalKafka
from catdog_stream.testing.ports import free_ports
from tests.support.client import MAX_BYTES, REQUESTS

__all__ = ["KafkaCost", "idle_percent", "kafka_cost"]

IDLE_SECONDS = 20.0
#: Four producers, each with 15 of the largest records that requests can be.
PRODUCERS, RECORDS, RECORD_BYTES = 4, 15, 5 * 1024 * 1024
SAMPLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class KafkaCost:
    """Cost of one server."""

    #: Duration of the first start, which formats the storage.
    first_start_s: float
    starts_s: Sequence[float]
    idle_mb: float
    #: Share of one core, in percent.
    idle_percent: float
    #: Largest resident memory while the large records arrive.
    loaded_mb: float


def kafka_cost(folder: Path, starts: int) -> KafkaCost:
    """Measure a server that keeps its data in ``folder``."""
    kafka = LocalKafka(free_ports(1)[0], folder)
    try:
        seconds = [_start(kafka) for _ in range(starts + 1)]
        asyncio.run(create_topics(kafka.address))
        idle = idle_percent(kafka.pid)
        return KafkaCost(
            first_start_s=seconds[0],
            starts_s=seconds[1:],
            idle_mb=memory_mb(kafka.pid),
            idle_percent=idle,
            loaded_mb=asyncio.run(_loaded(kafka)),
        )
    finally:
        kafka.stop()


def idle_percent(pid: int, seconds: float = IDLE_SECONDS) -> float:
    """Return the share of a core that a process takes in the next ``seconds``, in percent."""
    before, began = cpu_seconds(pid), time.perf_counter()
    time.sleep(seconds)
    return 100 * (cpu_seconds(pid) - before) / (time.perf_counter() - began)


def _start(kafka: LocalKafka) -> float:
    kafka.stop()
    began = time.perf_counter()
    kafka.start()
    return time.perf_counter() - began


async def _loaded(kafka: LocalKafka) -> float:
    """Return the largest memory while the records arrive."""
    peak = 0.0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, memory_mb(kafka.pid))
            await asyncio.sleep(SAMPLE_SECONDS)

    async def produce() -> None:
        async with AIOKafkaProducer(
            bootstrap_servers=kafka.address, max_request_size=MAX_BYTES
        ) as producer:
            for _ in range(RECORDS):
                await producer.send_and_wait(REQUESTS, bytes(RECORD_BYTES))

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(produce() for _ in range(PRODUCERS)))
    watching.cancel()
    return peak
