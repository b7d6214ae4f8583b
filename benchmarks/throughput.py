"""Labels per second of one worker with a backlog, against the model alone and the first system.

    python -m benchmarks.throughput --images DIR [--count 1000] [--rounds 3] [--broker BROKER]

Each round measures all three one after the other, since a shared machine's speed drifts; what
counts is the ratio within a round. Rates are from the first to the last label. The broker and the
client that notices the labels run on the same machine and take their share of it: their CPU time is
shown as well.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median

from tqdm import tqdm

from benchmarks.brokers import Broker, broker_name, lend
from benchmarks.measuring import Pace, median_cpu, ratios, work_off
from benchmarks.options import parser
from benchmarks.pictures import pictures
from benchmarks.programs import loop
from benchmarks.report import milliseconds, report, spread
from catdog_stream.testing.worker import Worker
from tests.support.fleet import GROUP

LOOP_GROUP = "handwritten-loop"


def main() -> None:
    """Run the measurement and print the report."""
    arguments = parser(__doc__)
    arguments.add_argument("--count", type=int, default=1000, help="pictures queued (1000)")
    # Not "--loop-count": Faust takes every option that begins with "--loop" for its own.
    arguments.add_argument(
        "--handwritten-count", type=int, default=150, help="pictures for the first system (150)"
    )
    arguments.add_argument("--rounds", type=int, default=3, help="rounds (3)")
    options = arguments.parse_args()
    files = pictures(options.images, options.count)
    alone, worker, handwritten = list[Pace](), list[Pace](), list[Pace]()
    with lend(options.broker) as broker:
        for _ in tqdm(range(options.rounds), unit="round", disable=None):
            alone.append(_model_alone(options.images, options.count))
            worker.append(_worker(broker, files))
            handwritten.append(_loop(broker, files[: options.handwritten_count]))
    to_limit, to_loop = ratios(worker, alone), ratios(worker, handwritten)
    kinds = {"model alone": alone, "one worker": worker, "hand-written loop": handwritten}
    report(
        f"Throughput, {options.count} pictures queued",
        {
            **{f"{name}, pictures/s": spread(_rates(paces)) for name, paces in kinds.items()},
            "worker / model alone": spread(to_limit),
            "worker / hand-written loop": spread(to_loop),
            **{
                f"{name}, CPU ms per picture": milliseconds(median_cpu(paces))
                for name, paces in kinds.items()
            },
        },
        {
            "rounds": {name: [asdict(pace) for pace in paces] for name, paces in kinds.items()},
            "worker_to_model_alone": median(to_limit),
            "worker_to_handwritten_loop": median(to_loop),
        },
        broker=broker_name(options.broker),
        output=options.output,
    )


def _model_alone(images: Path, count: int) -> Pace:
    command = [sys.executable, "-m", "benchmarks.model_alone", str(images), str(count)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"The model alone has failed:\n{done.stderr}")
    figures = json.loads(done.stdout)
    return Pace(figures["pictures_per_s"], {"model": figures["cpu_s"]})


def _worker(broker: Broker, files: Sequence[bytes]) -> Pace:
    start = partial(Worker, broker.address, broker.folder)
    return asyncio.run(work_off(broker.address, GROUP, files, start))


def _loop(broker: Broker, files: Sequence[bytes]) -> Pace:
    start = loop(broker, "handwritten_loop", LOOP_GROUP)
    return asyncio.run(work_off(broker.address, LOOP_GROUP, files, start))


def _rates(paces: Sequence[Pace]) -> list[float]:
    return [pace.per_s for pace in paces]


if __name__ == "__main__":
    main()
