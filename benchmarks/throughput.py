"""Labels per second of one worker with a backlog, against the model alone and the first system.

    python -m benchmarks.throughput --images DIR [--count 1000] [--rounds 3] [--broker HOST:PORT]

Each round measures all three one after the other, since a shared machine's speed drifts; what
counts is the ratio within a round.
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median

from tqdm import tqdm

from benchmarks.harness import (
    parser,
    pictures,
    queue,
    report,
    running_broker,
    spread,
    until_labelled,
)
from tests.support.client import request
from tests.support.worker import Worker


def main() -> None:
    """Measure and report."""
    arguments = parser(__doc__)
    arguments.add_argument("--count", type=int, default=1000, help="pictures queued (1000)")
    arguments.add_argument("--loop-count", type=int, default=150, help="for the first system (150)")
    arguments.add_argument("--rounds", type=int, default=3, help="rounds (3)")
    options = arguments.parse_args()
    files = pictures(options.images, options.count)
    alone, ours, loop = [], [], []
    for _ in tqdm(range(options.rounds), unit="round"):
        alone.append(_model_alone(options.images, options.count))
        with running_broker(options.broker) as (address, folder):
            ours.append(_with_worker(address, folder, files))
        with running_broker(options.broker) as (address, folder):
            loop.append(_with_loop(address, folder, files[: options.loop_count]))
    to_limit = [a / b for a, b in zip(ours, alone, strict=True)]
    to_loop = [a / b for a, b in zip(ours, loop, strict=True)]
    report(
        f"Throughput, {options.count} pictures queued, "
        f"{'Kafka at ' + options.broker if options.broker else 'embedded broker'}",
        {
            "model alone, pictures/s": spread(alone),
            "one worker, labels/s": spread(ours),
            "hand-written loop, labels/s": spread(loop),
            "worker / model alone": spread(to_limit),
            "worker / hand-written loop": spread(to_loop),
        },
        {
            "model_alone_per_s": alone,
            "worker_per_s": ours,
            "handwritten_loop_per_s": loop,
            "worker_to_model_alone": median(to_limit),
            "worker_to_handwritten_loop": median(to_loop),
        },
        options.output,
    )


def _model_alone(images: Path, count: int) -> float:
    command = [sys.executable, "-m", "benchmarks.model_alone", str(images), str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _with_worker(address: str, folder: Path, files: list[bytes]) -> float:
    with Worker(address, folder) as worker:  # creates the topics
        worker.wait_ready()
        worker.terminate()
    return asyncio.run(_rate(address, files, lambda: Worker(address, folder)))


def _with_loop(address: str, folder: Path, files: list[bytes]) -> float:
    with Worker(address, folder) as worker:
        worker.wait_ready()
        worker.terminate()
    return asyncio.run(_rate(address, files, lambda: _Loop(address)))


class _Loop(AbstractContextManager["_Loop"]):
    """The hand-written loop as a process."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __enter__(self) -> "_Loop":
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.handwritten_loop", self._address],
            stdout=self._log,
            stderr=self._log,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()


async def _rate(
    address: str, files: list[bytes], start: Callable[[], AbstractContextManager[object]]
) -> float:
    """Queue all requests, start the process, and time the labels."""
    await queue(address, map(request, files))
    async with until_labelled(address, len(files)) as labelled:
        with start():
            return await labelled


if __name__ == "__main__":
    main()
