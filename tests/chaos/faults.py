"""What goes wrong: each fault breaks something, waits, and mends it.

Faults of a lane come one after another; those of different lanes meet. So there is never more than
one broker away: without two the cluster could not go on, whatever a worker does.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event

from catdog_stream.broker import LocalKafka
from catdog_stream.testing.worker import Worker
from tests.chaos.replicas import wait_for_replicas
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy

__all__ = ["LANES", "Fault", "System"]

#: Seconds for a worker to end in good order; one whose broker is away is cut short before.
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class System:
    """What can be broken."""

    cluster: Cluster
    workers: Sequence[Worker]
    chance: random.Random
    #: Set when everything is to be whole again, early.
    over: Event

    def wait(self, shortest: float, longest: float) -> None:
        """A random time."""
        self.over.wait(self.chance.uniform(shortest, longest))

    @property
    def worker(self) -> Worker:
        """Any of the workers."""
        return self.chance.choice(self.workers)

    @property
    def broker(self) -> LocalKafka:
        """Any of the brokers."""
        return self.chance.choice(list(self.cluster.nodes.values()))


Fault = Callable[[System], None]


def worker_killed(system: System) -> None:
    """It is gone without a word, and a supervisor starts it again."""
    worker = system.worker
    worker.kill()
    system.wait(1, 12)
    worker.start().wait_ready()


def worker_stopped(system: System) -> None:
    """SIGTERM, as in a deployment."""
    worker = system.worker
    worker.terminate(STOP_SECONDS)
    system.wait(0, 3)
    worker.start().wait_ready()


def worker_paused(system: System) -> None:
    """It sleeps, for longer than its session or not, and goes on."""
    worker = system.worker
    worker.pause()
    system.wait(5, 40)
    worker.resume()


def network_stalled(system: System) -> None:
    """Connections stay open and carry nothing; so do new ones."""
    _each(system, lambda proxy: proxy.stall(new_ones_too=True))
    system.wait(5, 16)
    _each(system, Proxy.heal)


def network_half_open(system: System) -> None:
    """Connections stay open and carry nothing; new ones are served."""
    _each(system, Proxy.stall)
    system.wait(5, 16)
    _each(system, Proxy.heal)


def network_reset(system: System) -> None:
    """Connections break off."""
    _each(system, Proxy.reset)


def network_dropped(system: System) -> None:
    """Connections are closed in good order."""
    _each(system, Proxy.drop)


def network_slow(system: System) -> None:
    """Everything arrives later, and then connections break off."""
    seconds = system.chance.uniform(0.0, 0.3)
    _each(system, lambda proxy: proxy.delay(seconds))
    system.wait(5, 20)
    _each(system, Proxy.heal)


def broker_killed(system: System) -> None:
    """It is gone, and comes back."""
    broker = system.broker
    broker.kill()
    system.wait(1, 20)
    broker.start()
    wait_for_replicas(system.cluster)


def broker_frozen(system: System) -> None:
    """Its port stays open, and nobody answers there."""
    broker = system.broker
    broker.pause()
    system.wait(10, 40)
    broker.resume()
    wait_for_replicas(system.cluster)


def rolling_restart(system: System) -> None:
    """One broker after the other, each when all copies are whole again."""
    for broker in system.cluster.nodes.values():
        broker.stop()
        broker.start()
        wait_for_replicas(system.cluster)
        if system.over.is_set():
            return


LANES: Mapping[str, Sequence[Fault]] = {
    "workers": (worker_killed, worker_stopped, worker_paused),
    "network": (network_stalled, network_half_open, network_reset, network_dropped, network_slow),
    "brokers": (broker_killed, broker_frozen, rolling_restart),
}


def _each(system: System, action: Callable[[Proxy], None]) -> None:
    for proxy in system.cluster.proxies.values():
        action(proxy)
