"""Seconds from the process's start to ``/readyz``, memory, and what an idle process costs.

    python -m benchmarks.startup --images DIR [--pictures 10000] [--starts 5] [--broker BROKER]

The worker's memory is taken idle, under load, and after 10,000 pictures. A new local Kafka is
measured too.

All topics are there before a start is timed. Under load, 100 requests wait all the time. The slope
tells what memory still grows by in the second half.
"""

import asyncio
import http.client
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import cycle
from pathlib import Path
from statistics import median

from aiokafka import AIOKafkaProducer

from benchmarks.backlog import create_topics, names, skip_what_is_there
from benchmarks.brokers import Broker, broker_name, lend
from benchmarks.idle_commands import idle_commands
from benchmarks.labels import Labels
from benchmarks.local_kafka import idle_percent, kafka_cost
from benchmarks.memory import LoadedMemory
from benchmarks.options import parser
from benchmarks.pictures import pictures
from benchmarks.processes import memory_mb
from benchmarks.report import report, spread
from catdog_stream.testing.worker import Worker
from tests.support.client import MAX_BYTES, REQUESTS, request
from tests.support.fleet import GROUP

SAMPLE = Path(__file__).parents[1] / "samples" / "cat-kitten.jpg"
DIFFERENT_PICTURES = 1000
WAITING = 100
POLL_SECONDS = 0.01
START_TIMEOUT = 60.0


def main() -> None:
    """Run the measurement and print the report."""
    arguments = parser(__doc__)
    arguments.add_argument("--pictures", type=int, default=10_000, help="classified (10000)")
    arguments.add_argument("--starts", type=int, default=5, help="starts that are timed (5)")
    options = arguments.parse_args()
    files = pictures(options.images, min(options.pictures, DIFFERENT_PICTURES))
    with lend(options.broker) as broker:
        asyncio.run(_prepare(broker))
        ready = [_start(broker) for _ in range(options.starts + 1)][1:]  # the first creates topics
        with Worker(broker.address, broker.folder) as worker:
            worker.wait_ready()
            idle = memory_mb(worker.process.pid)
            idle_cpu = idle_percent(worker.process.pid)
            loaded = asyncio.run(_load(broker, worker, files, options.pictures))
            end = memory_mb(worker.process.pid)
        commands = idle_commands(broker.address, SAMPLE)
        kafka = kafka_cost(broker.folder / "measured", options.starts)
    report(
        "Start and memory",
        {
            "process start to ready, s": spread(ready),
            "resident memory idle, MB": f"{idle:.0f}",
            "resident memory under load, MB": f"{loaded.median:.0f} (at most {loaded.peak:.0f})",
            f"resident memory after {options.pictures:,} pictures, MB": f"{end:.0f}",
            "slope in the second half, MB per 1,000 pictures": f"{loaded.slope:+.2f}",
            "idle worker, % of a core": f"{idle_cpu:.1f}",
            **{f"idle {name}, % of a core": f"{used:.1f}" for name, used in commands.items()},
            "local Kafka: start, s": spread(kafka.starts_s),
            "local Kafka: first start, s": f"{kafka.first_start_s:.1f}",
            "local Kafka: idle, % of a core": f"{kafka.idle_percent:.1f}",
            "local Kafka: resident memory idle, MB": f"{kafka.idle_mb:.0f}",
            "local Kafka: resident memory under 60 records of 5 MB, MB": f"{kafka.loaded_mb:.0f}",
        },
        {
            "ready_s": ready,
            "ready_median_s": median(ready),
            "idle_mb": idle,
            "loaded_median_mb": loaded.median,
            "loaded_peak_mb": loaded.peak,
            "end_mb": end,
            "slope_mb_per_1000": loaded.slope,
            "idle_percent": idle_cpu,
            "idle_commands_percent": dict(commands),
            "kafka": asdict(kafka),
            "pictures": options.pictures,
            **asdict(loaded),
        },
        broker=broker_name(options.broker),
        output=options.output,
    )


async def _prepare(broker: Broker) -> None:
    await create_topics(broker.address)
    await skip_what_is_there(broker.address, GROUP)


def _start(broker: Broker) -> float:
    """Return the seconds that a worker takes until it is ready."""
    began = time.perf_counter()
    with Worker(broker.address, broker.folder) as worker:
        while not _is_ready(worker.port):
            if worker.process.poll() is not None or time.perf_counter() > began + START_TIMEOUT:
                raise RuntimeError(f"The worker has not become ready:\n{worker.tail()}")
            time.sleep(POLL_SECONDS)
        return time.perf_counter() - began


def _is_ready(port: int) -> bool:
    """Request ``/readyz``, at low cost: the starting worker needs the CPU."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_TIMEOUT)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except ConnectionError:
        return False
    finally:
        connection.close()


async def _load(broker: Broker, worker: Worker, files: Sequence[bytes], total: int) -> LoadedMemory:
    """Have ``total`` pictures classified, with at most ``WAITING`` of them in the queue."""
    urls, memory = names(total), LoadedMemory()
    producer = AIOKafkaProducer(bootstrap_servers=broker.address, max_request_size=MAX_BYTES)
    async with producer, Labels(broker.address, urls) as labels:
        watch = asyncio.create_task(memory.watch(worker.process.pid, lambda: labels.now().count))
        for number, (url, file) in enumerate(zip(urls, cycle(files), strict=False)):
            await producer.send(REQUESTS, request(file, url))
            await labels.until(number + 1 - WAITING)
        await labels.until(total)
        watch.cancel()
    return memory


if __name__ == "__main__":
    main()
