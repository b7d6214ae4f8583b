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
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from tqdm import tqdm

from benchmarks.brokers import Broker, broker_name, lend
from benchmarks.measuring import Pace, median_cpu, ratios, work_off
from benchmarks.options import parser
from benchmarks.programs import instant_worker, loop
from benchmarks.report import milliseconds, report, spread
from tests.support.fleet import GROUP

LOOP_GROUP = "bare-loop"
#: Bytes of the picture; base64 makes it a third larger.
SIZES = {"30 KB": 22_500, "300 KB": 225_000}
#: Measured programs; each round runs all of them.
PROGRAMS = ("worker", "worker, raw", "bare loop")


def main() -> None:
    """Run the measurement and print the report."""
    arguments = parser(__doc__, images=False)
    arguments.add_argument("--count", type=int, default=6000, help="requests of 30 KB (6000)")
    arguments.add_argument("--rounds", type=int, default=3, help="rounds (3)")
    options = arguments.parse_args()
    paces: dict[tuple[str, str], list[Pace]] = {
        (size, program): [] for size in SIZES for program in PROGRAMS
    }
    with lend(options.broker) as broker:
        for _ in tqdm(range(options.rounds), unit="round", disable=None):
            for size, length in SIZES.items():
                count = options.count * SIZES["30 KB"] // length
                files = [os.urandom(length) for _ in range(count)]
                paces[size, "worker"].append(_worker(broker, files))
                paces[size, "worker, raw"].append(_worker(broker, files, raw=True))
                paces[size, "bare loop"].append(_loop(broker, files))
    report(
        "Overhead: a model that answers at once",
        {
            name: text
            for (size, program), measured in paces.items()
            for name, text in _rows(size, program, measured, paces[size, "bare loop"]).items()
        },
        {"paces": {", ".join(key): [asdict(pace) for pace in paces[key]] for key in paces}},
        broker=broker_name(options.broker),
        output=options.output,
    )


def _worker(broker: Broker, files: Sequence[bytes], *, raw: bool = False) -> Pace:
    settings = {"CATDOG_REQUEST_FORMAT": "raw" if raw else "json"}
    start = instant_worker(broker, settings)
    return asyncio.run(work_off(broker.address, GROUP, files, start, by_thread=True, raw=raw))


def _loop(broker: Broker, files: Sequence[bytes]) -> Pace:
    start = loop(broker, "bare_loop", LOOP_GROUP)
    return asyncio.run(work_off(broker.address, LOOP_GROUP, files, start))


def _rows(
    size: str, program: str, paces: Sequence[Pace], bare: Sequence[Pace]
) -> Mapping[str, str]:
    cpu = median_cpu(paces)
    threads = {name: value for name, value in cpu.items() if ": " in name}
    processes = {name: value for name, value in cpu.items() if name not in threads}
    rows = {
        f"{size}, {program}, requests/s": spread([pace.per_s for pace in paces]),
        f"{size}, {program}, CPU ms per request": milliseconds(processes),
    }
    if threads:
        rows[f"{size}, {program}, of it the worker's threads"] = milliseconds(
            {name.removeprefix("program: "): value for name, value in threads.items()}
        )
        rows[f"{size}, {program} / bare loop"] = spread(ratios(paces, bare))
    return rows


if __name__ == "__main__":
    main()
