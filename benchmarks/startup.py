"""Seconds from the process's start to ``/readyz``, and memory: idle, under load, after 10,000.

    python -m benchmarks.startup --images DIR [--pictures 10000] [--starts 5] [--broker BROKER]

All topics are there before a start is timed. Under load, 100 requests wait all the time. The slope
tells what memory still grows by in the second half.
"""

import asyncio
import http.client
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import cycle
from statistics import median

from aiokafka import AIOKafkaProducer

from benchmarks.backlog import create_topics, names, skip_what_is_there
from benchmarks.brokers import Broker, Brokers
from benchmarks.labels import Labels
from benchmarks.memory import LoadedMemory
from benchmarks.options import parser
from benchmarks.pictures import pictures
from benchmarks.processes import memory_mb
from benchmarks.report import report, spread
from tests.support.client import MAX_BYTES, REQUESTS, request
from tests.support.fleet import GROUP
from tests.support.worker import Worker

DIFFERENT_PICTURES = 1000
WAITING = 100
POLL_SECONDS = 0.01
START_TIMEOUT = 60.0
#: Kept of each partition at least. With all 10,000 the embedded broker would be busy saving them.
KEPT_BYTES = 4 * 2**20


def main() -> None:
    """Measure and report."""
    arguments = parser(__doc__)
    arguments.add_argument("--pictures", type=int, default=10_000, help="classified (10000)")
    arguments.add_argument("--starts", type=int, default=5, help="starts that are timed (5)")
    options = arguments.parse_args()
    files = pictures(options.images, min(options.pictures, DIFFERENT_PICTURES))
    with Brokers(options.broker) as brokers, brokers.lend() as broker:
        asyncio.run(_prepare(broker, files))
        ready = [_start(broker) for _ in range(options.starts + 1)][1:]  # the first makes topics
        with Worker(broker.address, broker.folder) as worker:
            worker.wait_ready()
            idle = memory_mb(worker.process.pid)
            loaded = asyncio.run(_load(broker, worker, files, options.pictures))
            end = memory_mb(worker.process.pid)
    report(
        "Start and memory",
        {
            "process start to ready, s": spread(ready),
            "resident memory idle, MB": f"{idle:.0f}",
            "resident memory under load, MB": f"{loaded.median:.0f} (at most {loaded.peak:.0f})",
            f"resident memory after {options.pictures:,} pictures, MB": f"{end:.0f}",
            "slope in the second half, MB per 1,000 pictures": f"{loaded.slope:+.2f}",
        },
        {
            "ready_s": ready,
            "ready_median_s": median(ready),
            "idle_mb": idle,
            "loaded_median_mb": loaded.median,
            "loaded_peak_mb": loaded.peak,
            "end_mb": end,
            "slope_mb_per_1000": loaded.slope,
            "pictures": options.pictures,
            **asdict(loaded),
        },
        broker=brokers.name,
        output=options.output,
    )


async def _prepare(broker: Broker, files: Sequence[bytes]) -> None:
    waiting = WAITING * sum(len(request(file)) for file in files) // len(files)
    await create_topics(broker.address, keep_bytes=max(KEPT_BYTES, waiting))
    await skip_what_is_there(broker.address, GROUP)


def _start(broker: Broker) -> float:
    """Seconds that a worker takes until it is ready."""
    began = time.perf_counter()
    with Worker(broker.address, broker.folder) as worker:
        while not _is_ready(worker.port):
            if worker.process.poll() is not None or time.perf_counter() > began + START_TIMEOUT:
                raise RuntimeError(f"The worker has not become ready:\n{worker.tail()}")
            time.sleep(POLL_SECONDS)
        return time.perf_counter() - began


def _is_ready(port: int) -> bool:
    """Ask ``/readyz``, at little cost: the worker that starts needs the CPU."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_TIMEOUT)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except ConnectionError:
        return False
    finally:
        connection.close()


async def _load(broker: Broker, worker: Worker, files: Sequence[bytes], total: int) -> LoadedMemory:
    """Have ``total`` pictures classified, never more than ``WAITING`` at a time in the queue."""
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
