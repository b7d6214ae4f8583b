"""Faults one after another, at random moments, until the run is over."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Thread

from catdog_stream.testing.worker import Worker
from tests.chaos.faults import Fault, System
from tests.support.cluster import Cluster

__all__ = ["Happened", "Lane"]

#: Seconds between the end of a fault and the next one.
PAUSE = (2.0, 10.0)


@dataclass(frozen=True)
class Happened:
    """Fault with its start and end, in seconds of the monotonic clock."""

    kind: str
    began: float
    ended: float


@dataclass
class Lane:
    """Sequence of faults that break one kind of thing.

    Args:
        faults: faults to choose from.
        seed: seed of the choices.
        workers: workers that may be broken; for the network, the worker behind the proxies.
        over: set when everything must be repaired.
    """

    faults: Sequence[Fault]
    seed: str
    cluster: Cluster
    workers: Sequence[Worker]
    over: Event
    happened: list[Happened] = field(default_factory=list)
    #: Error that prevented a repair, such as a worker that did not become ready again.
    failure: Exception | None = None

    def start(self) -> None:
        """Start in a thread."""
        self._thread = Thread(target=self.run)
        self._thread.start()

    def join(self) -> None:
        """Wait until everything is repaired."""
        self._thread.join()

    def run(self) -> None:
        """Break things until the run is over; return when everything is repaired."""
        chance = random.Random(self.seed)
        system = System(self.cluster, self.workers, chance, self.over)
        try:
            while not self.over.wait(chance.uniform(*PAUSE)):
                fault = chance.choice(self.faults)
                began = time.monotonic()
                fault(system)
                self.happened.append(Happened(fault.__name__, began, time.monotonic()))
        except Exception as error:  # noqa: BLE001 - told where it is waited for
            self.failure = error
