"""Faults one after another, at random moments, until it is over."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Thread

from tests.chaos.faults import Fault, System
from tests.support.cluster import Cluster
from tests.support.worker import Worker

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
    """A thread that breaks one kind of thing.

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
    failure: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = Thread(target=self._run)
        self._thread.start()

    def join(self) -> None:
        """Wait until all is mended."""
        self._thread.join()

    def _run(self) -> None:
        chance = random.Random(self.seed)
        system = System(self.cluster, self.workers, chance, self.over)
        try:
            while not self.over.wait(chance.uniform(*PAUSE)):
                fault = chance.choice(self.faults)
                began = time.monotonic()
                fault(system)
                self.happened.append(Happened(fault.__name__, began, time.monotonic()))
        except BaseException as error:  # noqa: BLE001 - told where it is waited for
            self.failure = error
