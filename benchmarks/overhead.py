"""Requests per second when the model costs nothing: what the pipeline around it can carry.

    python -m benchmarks.overhead [--count 6000] [--rounds 3] [--broker BROKER]

Requests of 30 KB and, a tenth as many, of 300 KB, queued beforehand; CPU time for each request, of
the processes and of the worker's threads: ``consumer`` talks to Kafka, ``decode`` reads JSON and
base64 (the picture's own decoding is the model's part), ``model`` answers, ``main`` is the event
loop, which does everything else, publishing included. Each round also measures a bare loop of
aiokafka, since a shared machine's speed drifts; what counts is the ratio within a round.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tqdm import tqdm

from benchmarks.brokers import Broker, broker_name, lend
from benchmarks.measuring import Pace, median_cpu, work_off
from benchmarks.options import parser
from benchmarks.report import milliseconds, report, spread
from catdog_stream.testing.worker import Worker
from tests.support.command import Command
from tests.support.fleet import GROUP

ROOT = Path(__file__).parents[1]
LOOP_GROUP = "bare-loop"
#: Bytes of the picture; base64 makes it a third larger.
SIZES = {"30 KB": 22_500, "300 KB": 225_000}


def main() -> None:
    """Run the measurement and print the report."""
    arguments = parser(__doc__, images=False)
    arguments.add_argument("--count", type=int, default=6000, help="requests of 30 KB (6000)")
    arguments.add_argument("--rounds", type=int, default=3, help="rounds (3)")
    options = arguments.parse_args()
    paces: dict[str, list[Pace]] = {size: [] for size in SIZES}
    loop: dict[str, list[Pace]] = {size: [] for size in SIZES}
    with lend(options.broker) as broker:
        for _ in tqdm(range(options.rounds), unit="round", disable=None):
            for size, length in SIZES.items():
                count = options.count * SIZES["30 KB"] // length
                payloads = [os.urandom(length) for _ in range(count)]
                paces[size].append(_worker(broker, payloads))
                loop[size].append(_loop(broker, payloads))
    report(
        "Overhead: a model that answers at once",
        {
            name: text
            for size in SIZES
            for name, text in _rows(size, paces[size], loop[size]).items()
        },
        {
            "sizes": {size: [asdict(pace) for pace in paces[size]] for size in SIZES},
            "bare_loop": {size: [asdict(pace) for pace in loop[size]] for size in SIZES},
        },
        broker=broker_name(options.broker),
        output=options.output,
    )


def _worker(broker: Broker, payloads: Sequence[bytes]) -> Pace:
    start = partial(Worker, broker.address, broker.folder, module="benchmarks.instant_worker")
    return asyncio.run(work_off(broker.address, GROUP, payloads, start, by_thread=True))


def _loop(broker: Broker, payloads: Sequence[bytes]) -> Pace:
    start = partial(
        Command,
        [sys.executable, "-m", "benchmarks.bare_loop", broker.address, LOOP_GROUP],
        {**os.environ, "PYTHONPATH": str(ROOT)},
        broker.folder,
    )
    return asyncio.run(work_off(broker.address, LOOP_GROUP, payloads, start))


def _rows(size: str, paces: Sequence[Pace], loop: Sequence[Pace]) -> dict[str, str]:
    cpu = median_cpu(paces)
    threads = {name: value for name, value in cpu.items() if ": " in name}
    return {
        f"{size}, requests/s": spread([pace.per_s for pace in paces]),
        f"{size}, CPU ms per request": milliseconds(
            {name: value for name, value in cpu.items() if name not in threads}
        ),
        f"{size}, of it the worker's threads": milliseconds(
            {name.removeprefix("program: "): value for name, value in threads.items()}
        ),
        f"{size}, bare loop, requests/s": spread([pace.per_s for pace in loop]),
        f"{size}, bare loop, CPU ms per request": milliseconds(median_cpu(loop)),
        f"{size}, worker / bare loop": spread(
            [pace.per_s / bare.per_s for pace, bare in zip(paces, loop, strict=True)]
        ),
    }


if __name__ == "__main__":
    main()
