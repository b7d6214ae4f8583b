"""Faults: each one breaks something, waits, and repairs it.

Faults of one lane come one after another; faults of different lanes overlap. So at most one broker
is unavailable at a time: without two brokers the cluster stops, and no worker could prevent that.
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

#: Seconds for a worker to end; a worker whose broker is unavailable ends earlier by itself.
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class System:
    """Parts that a fault can break."""

    cluster: Cluster
    workers: Sequence[Worker]
    chance: random.Random
    #: Set when everything must be repaired early.
    over: Event

    def wait(self, shortest: float, longest: float) -> None:
        """Wait for a random time, in seconds."""
        self.over.wait(self.chance.uniform(shortest, longest))

    @property
    def worker(self) -> Worker:
        """Random worker."""
        return self.chance.choice(self.workers)

    @property
    def broker(self) -> LocalKafka:
        """Random broker."""
        return self.chance.choice(list(self.cluster.nodes.values()))


Fault = Callable[[System], None]


def worker_killed(system: System) -> None:
    """Kill a worker; a supervisor starts it again."""
    worker = system.worker
    worker.kill()
    system.wait(1, 12)
    worker.start().wait_ready()


def worker_stopped(system: System) -> None:
    """Send SIGTERM to a worker, as in a deployment, and start it again."""
    worker = system.worker
    worker.terminate(STOP_SECONDS)
    system.wait(0, 3)
    worker.start().wait_ready()


def worker_paused(system: System) -> None:
    """Pause a worker, for less or more than its session timeout, and resume it."""
    worker = system.worker
    worker.pause()
    system.wait(5, 40)
    worker.resume()


def network_stalled(system: System) -> None:
    """Keep the connections open without carrying data, new connections included."""
    _each(system, lambda proxy: proxy.stall(new_ones_too=True))
    system.wait(5, 16)
    _each(system, Proxy.heal)


def network_half_open(system: System) -> None:
    """Keep the connections open without carrying data; new connections work."""
    _each(system, Proxy.stall)
    system.wait(5, 16)
    _each(system, Proxy.heal)


def network_reset(system: System) -> None:
    """Reset the connections."""
    _each(system, Proxy.reset)


def network_dropped(system: System) -> None:
    """Close the connections cleanly."""
    _each(system, Proxy.drop)


def network_slow(system: System) -> None:
    """Delay all data, and then reset the connections."""
    seconds = system.chance.uniform(0.0, 0.3)
    _each(system, lambda proxy: proxy.delay(seconds))
    system.wait(5, 20)
    _each(system, Proxy.heal)


def broker_killed(system: System) -> None:
    """Kill a broker and start it again."""
    broker = system.broker
    broker.kill()
    system.wait(1, 20)
    broker.start()
    wait_for_replicas(system.cluster)


def broker_frozen(system: System) -> None:
    """Pause a broker: its port stays open, and no request is answered there."""
    broker = system.broker
    broker.pause()
    system.wait(10, 40)
    broker.resume()
    wait_for_replicas(system.cluster)


def rolling_restart(system: System) -> None:
    """Restart one broker after another, each when all replicas are in sync again."""
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
