"""Faults one after another, at random moments, until it is over."""

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
    """A fault, and when it was, in seconds of the monotonic clock."""

    kind: str
    began: float
    ended: float


@dataclass
class Lane:
    """Breaks one kind of thing, again and again.

    Args:
        faults: what it chooses from.
        seed: of its choices.
        workers: may be broken; in the network's lane, that behind the proxies.
        over: when everything is to be whole again.
    """

    faults: Sequence[Fault]
    seed: str
    cluster: Cluster
    workers: Sequence[Worker]
    over: Event
    happened: list[Happened] = field(default_factory=list)
    #: What kept a fault from being mended, such as a worker that was not ready again.
    failure: Exception | None = None

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread = Thread(target=self.run)
        self._thread.start()

    def join(self) -> None:
        """Wait until all is mended."""
        self._thread.join()

    def run(self) -> None:
        """Break things until it is over; return once all is mended."""
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
