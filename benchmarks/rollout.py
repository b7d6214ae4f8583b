"""Milliseconds from sending a request to its label, before, during and after rollouts of the stack.

    python -m benchmarks.rollout --images DIR [--rate 50] [--rollouts 6] [--broker BROKER]

Two workers with one thread each get requests at random moments (a Poisson process), while two
stacks, which differ in their version alone, take over from each other. "During" is what was sent
between an order and the last worker's report that it serves.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from itertools import count, cycle
from pathlib import Path

import numpy as np
from aiokafka import AIOKafkaProducer

from benchmarks.backlog import create_topics, names, skip_what_is_there
from benchmarks.brokers import broker_name, lend
from benchmarks.labels import Labels
from benchmarks.options import parser
from benchmarks.pictures import pictures
from benchmarks.report import report
from catdog_stream.kafka.deployments import deploy, rollout_state
from catdog_stream.kafka.rollout_status import outcome
from catdog_stream.settings import Settings
from tests.support.client import MAX_BYTES, REQUESTS, request
from tests.support.fleet import GROUP, SETTINGS, Fleet
from tests.support.stacks import add

WORKERS = 2
SEED = 0
#: Seconds of load before the first rollout, between two rollouts, and after the last.
PAUSE = 5.0
MOST = 100_000


def main() -> None:
    """Run the measurement and print the report."""
    arguments = parser(__doc__)
    arguments.add_argument("--rate", type=float, default=50.0, help="requests per second (50)")
    arguments.add_argument("--rollouts", type=int, default=6, help="how many (6)")
    options = arguments.parse_args()
    files = pictures(options.images, 100)
    with lend(options.broker) as broker, tempfile.TemporaryDirectory() as folder:
        run = Run(broker.address, broker.folder, Path(folder), files, options.rate)
        asyncio.run(run.measure(options.rollouts))
    rows = {name: _text(values) for name, values in run.milliseconds.items()}
    rows["rollout, deployment to last report"] = f"{', '.join(f'{s:.1f}' for s in run.rollouts)} s"
    report(
        f"Latency in milliseconds, {options.rate:g} requests per second, {WORKERS} workers",
        rows,
        {"milliseconds": run.milliseconds, "rollouts_s": run.rollouts},
        broker=broker_name(options.broker),
        output=options.output,
    )


def _text(milliseconds: Sequence[float]) -> str:
    p50, p99 = np.percentile(milliseconds, (50, 99))
    longest = max(milliseconds)
    return f"p50 {p50:6.1f}   p99 {p99:6.1f}   longest {longest:6.1f}   of {len(milliseconds)}"


class Run:
    """Load on a fleet while its stack is rolled out.

    Attributes:
        milliseconds: latency of each request, by the phase in which it was sent.
        rollouts: duration of each rollout, in seconds.
    """

    def __init__(
        self, address: str, folder: Path, stacks: Path, files: Sequence[bytes], rate: float
    ) -> None:
        self.milliseconds: dict[str, list[float]] = {"before": [], "during": [], "after": []}
        self.rollouts: list[float] = []
        self._address, self._folder, self._stacks = address, folder, stacks
        self._files, self._rate = files, rate
        self._phase = "before"

    async def measure(self, rollouts: int) -> None:
        """Roll out a stack ``rollouts`` times."""
        for version in ("1", "2"):
            add(self._stacks, "pets", version)
        await create_topics(self._address)
        await skip_what_is_there(self._address, GROUP)
        urls = names(MOST)
        producer = AIOKafkaProducer(bootstrap_servers=self._address, max_request_size=MAX_BYTES)
        settings = {**SETTINGS, "CATDOG_STACKS": str(self._stacks)}
        async with Fleet(self._address, self._folder, settings) as fleet:
            for _ in range(WORKERS - 1):
                await fleet.join()
            async with producer, Labels(self._address, urls) as labels:
                load = asyncio.create_task(self._load(producer, labels, urls))
                await asyncio.sleep(PAUSE)
                for number in range(rollouts):
                    await self._roll_out(f"pets/{1 + number % 2}")
                    await asyncio.sleep(PAUSE)
                self._phase = ""
                await load

    async def _roll_out(self, stack: str) -> None:
        cluster = Settings(broker=f"kafka://{self._address}").cluster
        state = await rollout_state(cluster)
        began, self._phase = time.perf_counter(), "during"
        found = await outcome(cluster, await deploy(cluster, stack, state.next_history()))
        self.rollouts.append(time.perf_counter() - began)
        self._phase = "after"
        if not found.served:
            raise SystemExit(f"{stack} was not rolled out: {found.reports}")

    async def _load(self, producer: AIOKafkaProducer, labels: Labels, urls: Sequence[str]) -> None:
        """Send requests until the phase is empty; return when all of them are answered."""
        loop, random = asyncio.get_running_loop(), np.random.default_rng(SEED)
        files, tasks, moment = cycle(self._files), [], loop.time()
        for number in count():
            if not self._phase:
                break
            moment += random.exponential(1 / self._rate)
            await asyncio.sleep(moment - loop.time())
            sending = self._one(producer, labels, urls[number], next(files), self._phase)
            tasks.append(asyncio.create_task(sending))
        await asyncio.gather(*tasks)

    async def _one(
        self, producer: AIOKafkaProducer, labels: Labels, url: str, file: bytes, phase: str
    ) -> None:
        sent = time.perf_counter()
        await producer.send_and_wait(REQUESTS, request(file, url))
        milliseconds = (await labels.of(url) - sent) * 1e3
        if phase:
            self.milliseconds[phase].append(milliseconds)


if __name__ == "__main__":
    main()
