"""``python -m benchmarks.soak``: two workers under load for half an hour, killed now and then.

Measures what two workers of one thread each can do, sends at a share of that, kills a worker every
few minutes and starts another in its place. Writes ``soak.csv`` while it runs and ``soak.png`` at
its end, and exits with 1 if a request was lost or counted twice, or if a worker ended by itself.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from benchmarks import traffic
from benchmarks.backlog import create_topics
from benchmarks.brokers import lend
from benchmarks.options import add_broker
from benchmarks.soak_report import SAMPLE_SECONDS, Recorder, draw, summary
from catdog_stream.kafka.replies import Reply
from tests.support.client import Client, header
from tests.support.fleet import Fleet

SEED = 0
PICTURES = 200
MINUTES_BETWEEN_KILLS = (2.0, 4.0)
#: The first worker survives this share of the run, so that its memory can be observed.
SPARED_SHARE = 0.8
#: Requests kept waiting while the capacity is measured: enough for both workers to be busy.
BACKLOG = 100
WARM_UP_SECONDS, MEASURE_SECONDS = 5.0, 20.0
#: Seconds after a kill in which the waiting time of requests is observed.
TAKE_OVER_SECONDS = 45.0


class Ledger(Client):
    """Record of sent and answered requests; it keeps nothing else of them."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.sent: set[str] = set()
        #: Unanswered requests and the times at which they were sent, by the monotonic clock.
        self.waiting: dict[str, float] = {}
        self.labels_seen = 0

    @property
    def longest_wait(self) -> float:
        """Return the seconds since the oldest unanswered request was sent."""
        return time.monotonic() - min(self.waiting.values(), default=time.monotonic())

    @property
    def repeated(self) -> int:
        """Number of labels that were published a second time; each is counted only once."""
        return self.labels_seen - len(self.labels)

    async def send_one(self, value: bytes) -> None:
        """Send one request and note its source."""
        began = time.monotonic()
        (source,) = await self.send([value])
        self.sent.add(source)
        if source not in self.labels and source not in self.rejected:
            self.waiting[source] = began

    def note(self, reply: Reply) -> None:
        """Record that an answer has arrived, and keep nothing else of it."""
        source = header(reply.record, "source") or "unknown"
        if reply.label is not None:
            self.labels_seen += 1
            self.labels[source]  # creates an empty list
        else:
            self.rejected[source]
        self.waiting.pop(source, None)


class Soak:
    """One run."""

    def __init__(self, fleet: Fleet, ledger: Ledger, recorder: Recorder) -> None:
        self._fleet = fleet
        self._ledger = ledger
        self._recorder = recorder
        self._random = random.Random(SEED)
        self._values: Iterator[bytes] = traffic.requests(
            traffic.variations(PICTURES, self._random), self._random
        )

    async def capacity(self) -> float:
        """Return the answers per second of two busy workers."""
        began = time.monotonic()
        before, counting_since = 0, began
        while (now := time.monotonic()) < began + WARM_UP_SECONDS + MEASURE_SECONDS:
            if now < began + WARM_UP_SECONDS:
                before, counting_since = self._answered(), now
            if len(self._ledger.waiting) < BACKLOG:
                await asyncio.gather(*(self._send() for _ in range(10)))
            await asyncio.sleep(0.01)
        rate = (self._answered() - before) / (time.monotonic() - counting_since)
        await self._ledger.answers(self._ledger.sent)
        return rate

    async def run(self, rate: float, seconds: float) -> None:
        """Send ``rate`` requests a second, sample and kill, until ``seconds`` have passed."""
        self._recorder.begin()
        chores = [asyncio.create_task(chore) for chore in (self._sample(), self._kill(seconds))]
        try:
            async with asyncio.TaskGroup() as sending:
                began = time.monotonic()
                number = 0
                while (passed := time.monotonic() - began) < seconds:
                    for chore in chores:
                        if chore.done():
                            chore.result()
                    for _ in range(int(passed * rate) - number):
                        sending.create_task(self._send())
                        number += 1
                    await asyncio.sleep(0.02)
            await self._fleet.prove(self._ledger, list(self._ledger.sent))
        finally:
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)

    async def _send(self) -> None:
        await self._ledger.send_one(next(self._values))

    def _answered(self) -> int:
        return len(self._ledger.labels) + len(self._ledger.rejected)

    async def _sample(self) -> None:
        labels, then = self._ledger.labels_seen, time.monotonic()
        while True:
            await asyncio.sleep(SAMPLE_SECONDS)
            for worker in self._fleet.workers:
                code = worker.process.poll()
                assert code is None, f"a worker ended by itself with {code}:\n{worker.tail()}"
            now = time.monotonic()
            self._recorder.sample(
                throughput=(self._ledger.labels_seen - labels) / (now - then),
                lag=len(self._ledger.waiting),
                pids=[worker.process.pid for worker in self._fleet.workers],
            )
            labels, then = self._ledger.labels_seen, now

    async def _kill(self, seconds: float) -> None:
        began = time.monotonic()
        first = self._fleet.workers[0]
        while True:
            await asyncio.sleep(60 * self._random.uniform(*MINUTES_BETWEEN_KILLS))
            if time.monotonic() - began > seconds - 60:
                return  # no kill in the last minute, which shows that everything settles
            victims = list(range(len(self._fleet.workers)))
            if time.monotonic() - began < SPARED_SHARE * seconds and first in self._fleet.workers:
                victims.remove(self._fleet.workers.index(first))
            self._fleet.vanish(self._random.choice(victims))
            self._recorder.kill()
            joining = asyncio.create_task(self._fleet.join())
            end, longest = time.monotonic() + TAKE_OVER_SECONDS, 0.0
            while time.monotonic() < end:
                longest = max(longest, self._ledger.longest_wait)
                await asyncio.sleep(0.05)
            self._recorder.taken_over(longest)
            await joining


async def soak(address: str, minutes: float, load: float, output: Path, folder: Path) -> None:
    """Run the whole benchmark. Raises AssertionError if the guarantee does not hold."""
    await create_topics(address)
    async with Fleet(address, folder) as fleet, Ledger(address) as ledger:
        await fleet.join()
        with tqdm(total=round(minutes * 60), unit="s", disable=None) as bar:
            recorder = Recorder(output / "soak.csv", address, bar)
            run = Soak(fleet, ledger, recorder)
            capacity = await run.capacity()
            rate = load * capacity
            bar.write(f"Two workers answer {capacity:.1f} requests/s; sending {rate:.1f}/s.")
            await run.run(rate, minutes * 60)
        print(summary(recorder))
        print(
            f"{len(ledger.sent)} requests: {len(ledger.labels)} labelled, "
            f"{len(ledger.rejected)} rejected, none lost, none counted twice; "
            f"{ledger.repeated} labels were published a second time."
        )


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--load", type=float, default=0.8, help="share of the capacity to send at")
    add_broker(parser)
    parser.add_argument("--output", type=Path, default=Path("build"), metavar="DIR")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with lend(options.broker) as broker:
        run = soak(broker.address, options.minutes, options.load, options.output, broker.folder)
        try:
            asyncio.run(run)
        except AssertionError as error:
            print(f"FAILED: {error}", file=sys.stderr)
            return 1
        finally:
            draw(options.output / "soak.csv", options.output / "soak.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
