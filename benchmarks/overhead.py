"""Requests per second when the model costs nothing: what the pipeline around it can carry.

    python -m benchmarks.overhead [--count 3000] [--broker HOST:PORT]

Requests of 30 KB and of 300 KB, queued beforehand; CPU time of the worker for each request.
"""

import asyncio
import os

from benchmarks.harness import cpu_seconds, parser, queue, report, running_broker, until_labelled
from tests.support.client import request
from tests.support.worker import Worker

SIZES = {"30 KB": 22_000, "300 KB": 225_000}  # of the picture; base64 makes it a third larger


def main() -> None:
    """Measure and report."""
    arguments = parser(__doc__)
    arguments.add_argument("--count", type=int, default=3000, help="requests of 30 KB (3000)")
    options = arguments.parse_args()
    rows, figures = {}, {}
    for name, size in SIZES.items():
        count = options.count * SIZES["30 KB"] // size
        with running_broker(options.broker) as (address, folder):
            rate, cpu = asyncio.run(
                _measure(address, Worker(address, folder, module=WORKER), count, size)
            )
        rows[f"{count} requests of {name}"] = f"{rate:.0f} requests/s, {cpu * 1e3:.2f} ms CPU each"
        figures[name] = {"requests_per_s": rate, "cpu_s_per_request": cpu}
    report("Overhead: a model that answers at once", rows, figures, options.output)


WORKER = "benchmarks.instant_worker"


async def _measure(address: str, worker: Worker, count: int, size: int) -> tuple[float, float]:
    with worker:
        await asyncio.to_thread(worker.wait_ready)  # creates the topics
        await asyncio.to_thread(worker.terminate)
    await queue(address, (request(os.urandom(size)) for _ in range(count)))
    async with until_labelled(address, count) as labelled:
        with worker:
            while not labelled.done() and worker.status("/healthz") is None:
                await asyncio.sleep(0.01)
            started = cpu_seconds(worker.process.pid)
            rate = await labelled
            return rate, (cpu_seconds(worker.process.pid) - started) / count


if __name__ == "__main__":
    main()
