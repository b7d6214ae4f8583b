"""Seconds from the process's start to ``/readyz``, and memory: idle, under load, after 10,000.

python -m benchmarks.startup --images DIR [--pictures 10000] [--broker HOST:PORT]
"""

import asyncio
import time
from statistics import median

from benchmarks.harness import memory_mb, parser, pictures, report, running_broker
from tests.support.client import Client, request
from tests.support.worker import Worker

STARTS = 3
CHUNK = 250  # small backlogs: the embedded broker's saving costs CPU time in proportion


def main() -> None:
    """Measure and report."""
    arguments = parser(__doc__)
    arguments.add_argument("--pictures", type=int, default=10_000, help="classified in all (10000)")
    options = arguments.parse_args()
    files = pictures(options.images, CHUNK)
    with running_broker(options.broker) as (address, folder):
        ready = []
        for _ in range(STARTS):
            started = time.perf_counter()
            with Worker(address, folder) as worker:
                worker.wait_ready()
                ready.append(time.perf_counter() - started)
                worker.terminate()
        with Worker(address, folder) as worker:
            worker.wait_ready()
            memory = {"idle": memory_mb(worker.process.pid)}
            memory |= asyncio.run(_load(address, worker, files, options.pictures))
    report(
        "Start and memory",
        {
            "process start to ready, s": f"{median(ready):.2f}",
            **{f"resident memory {name}, MB": f"{value:.0f}" for name, value in memory.items()},
        },
        {"ready_s": ready, "memory_mb": memory},
        options.output,
    )


async def _load(address: str, worker: Worker, files: list[bytes], total: int) -> dict[str, float]:
    memory: dict[str, float] = {}
    async with Client(address) as client:
        for done in range(0, total, len(files)):
            await client.answers(await client.send(map(request, files)))
            client.labels.clear()
            if not done:
                memory[f"after {len(files)}"] = memory_mb(worker.process.pid)
    memory[f"after {total}"] = memory_mb(worker.process.pid)
    return memory


if __name__ == "__main__":
    main()
