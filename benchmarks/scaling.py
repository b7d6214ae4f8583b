"""Cost of a picture as the work grows: more partitions, a longer backlog, a second worker.

    python -m benchmarks.scaling --images DIR [--partitions 1 8 32] [--backlogs 1000 10000]
        [--workers 1 2]

Each worker computes on one thread (``CATDOG_THREADS=1``). Each case has a broker of its own, whose
topics have that many partitions, so it cannot run on a cluster that is there already. The workers
start first and share the partitions; then the backlog is queued, and the pace is taken from when
all of it is there.

Nothing is pinned to a core. Two workers, the broker and this client share the cores of the machine:
on two cores, what the broker and the client use is taken from the second worker, and the ratio of
two workers to one stays below what it would be on machines of their own. The CPU time of each
picture does not suffer from that; it is what tells whether the work grows faster than the backlog.

One worker takes minutes for 10,000 pictures; all the cases together, an hour or more.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from itertools import product

from tqdm import tqdm

from benchmarks.backlog import names, queue
from benchmarks.brokers import Broker, broker_name, lend
from benchmarks.labels import Labels
from benchmarks.measuring import Pace, pace
from benchmarks.options import OWN, parser
from benchmarks.pictures import pictures
from benchmarks.processes import cpu_meter
from benchmarks.report import milliseconds, report
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE, Worker

__all__ = ["Case", "growth", "two_to_one"]


@dataclass(frozen=True)
class Case:
    """Combination of workers, partitions and backlog to measure."""

    partitions: int
    backlog: int
    workers: int

    @property
    def queue(self) -> str:
        """Backlog in words."""
        return f"{self.backlog:,} in {self.partitions} partition{'s'[: self.partitions > 1]}"

    def __str__(self) -> str:
        return f"{self.workers} worker{'s'[: self.workers > 1]}, {self.queue}"


def main() -> None:
    """Run the measurement and print the report."""
    arguments = parser(__doc__)
    arguments.add_argument("--partitions", type=int, nargs="+", default=[1, 8, 32], metavar="N")
    arguments.add_argument("--backlogs", type=int, nargs="+", default=[1000, 10_000], metavar="N")
    arguments.add_argument("--workers", type=int, nargs="+", default=[1, 2], metavar="N")
    options = arguments.parse_args()
    if options.broker != OWN:
        arguments.error(f"each case needs a broker of its own: --broker {OWN}")
    cases = [
        Case(*numbers)
        for numbers in product(options.partitions, options.backlogs, options.workers)
        if numbers[2] <= numbers[0]  # a worker without a partition is idle
    ]
    paces = {
        case: _measure(case, options.broker, pictures(options.images, case.backlog))
        for case in tqdm(cases, unit="case", disable=None)
    }
    ratios = {**two_to_one(paces), **growth(paces)}
    report(
        "Scaling: workers of one thread",
        {
            **{
                str(case): f"{pace.per_s:5.1f} labels/s; CPU ms each: {milliseconds(pace.cpu_s)}"
                for case, pace in paces.items()
            },
            **{name: f"{ratio:.3f}" for name, ratio in ratios.items()},
        },
        {
            "cases": [{**asdict(case), **asdict(pace)} for case, pace in paces.items()],
            "ratios": ratios,
        },
        broker=broker_name(options.broker),
        output=options.output,
    )


def _measure(case: Case, choice: str, files: Sequence[bytes]) -> Pace:
    settings = {"CATDOG_THREADS": "1", "CATDOG_PARTITIONS": str(case.partitions)}
    with lend(choice) as broker, ExitStack() as running:
        workers = [
            running.enter_context(Worker(broker.address, broker.folder, settings=settings))
            for _ in range(case.workers)
        ]
        wait_until(
            lambda: all(worker.status("/readyz") == HTTPStatus.OK for worker in workers),
            "all workers to be ready at the same time",
            PATIENCE,
        )
        return asyncio.run(_work_off(broker, workers, files))


async def _work_off(broker: Broker, workers: Sequence[Worker], files: Sequence[bytes]) -> Pace:
    urls = names(len(files))
    async with Labels(broker.address, urls) as labels:
        await queue(broker.address, urls, files)
        return await pace(labels, labels.now(), cpu_meter(broker.address, workers))


def two_to_one(paces: Mapping[Case, Pace]) -> dict[str, float]:
    """Return the ratio of two workers' labels per second to those of one worker."""
    return {
        f"two workers / one, {case.queue}": paces[case].per_s / paces[one].per_s
        for case in paces
        if case.workers == 2 and (one := replace(case, workers=1)) in paces
    }


def growth(paces: Mapping[Case, Pace]) -> dict[str, float]:
    """Return the ratio of CPU time for each picture in the longest backlog to the shortest."""
    shortest, longest = (choose(case.backlog for case in paces) for choose in (min, max))
    return {
        f"cost, {case} / in {shortest:,}": (
            pace.cpu_s["program"] / paces[replace(case, backlog=shortest)].cpu_s["program"]
        )
        for case, pace in paces.items()
        if case.backlog == longest != shortest
    }


if __name__ == "__main__":
    main()
