"""Cluster of three Kafka servers, of which a test may freeze or kill one."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka.client import AIOKafkaClient, CoordinationType

from catdog_stream.broker import HOST, LocalKafka
from catdog_stream.testing.ports import free_ports
from tests.support.proxy import Proxy, two_ways

NODES = 3


@dataclass(frozen=True)
class Cluster:
    """Servers by their ``node.id``, which starts with 1."""

    nodes: dict[int, LocalKafka]
    #: Proxies in front of the servers, if they were requested.
    proxies: dict[int, Proxy] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """``host:port`` of each server, in the form that Kafka clients take."""
        return ",".join(node.address for node in self.nodes.values())

    @property
    def setting(self) -> str:
        """The same addresses as a value of ``CATDOG_BROKER``."""
        return ";".join(f"kafka://{node.address}" for node in self.nodes.values())

    @property
    def proxied_setting(self) -> str:
        """Value of ``CATDOG_BROKER`` that leads through the proxies."""
        return ";".join(f"kafka://{proxy.address}" for proxy in self.proxies.values())

    async def coordinator(self, group: str) -> LocalKafka:
        """Return the server that coordinates a group."""
        client = AIOKafkaClient(bootstrap_servers=self.address)
        await client.bootstrap()
        try:
            return self.nodes[await client.coordinator_lookup(CoordinationType.GROUP, group)]
        finally:
            await client.close()


@contextmanager
def own_cluster(folder: Path, *, proxied: bool = False) -> Iterator[Cluster]:
    """Run a cluster with three replicas, at least two in sync, and Kafka's own time limits."""
    free = free_ports(4 * NODES)
    ports, controllers = free[:NODES], free[NODES : 2 * NODES]
    inner, outer = free[2 * NODES : 3 * NODES], free[3 * NODES :]
    voters = ",".join(f"{n}@{HOST}:{port}" for n, port in enumerate(controllers, start=1))
    nodes = {
        number: LocalKafka(
            port,
            folder / str(number),
            controller_port=controller,
            extra={
                "node.id": str(number),
                "controller.quorum.voters": voters,
                "default.replication.factor": "3",
                "min.insync.replicas": "2",
                "offsets.topic.replication.factor": "3",
                "transaction.state.log.replication.factor": "3",
                "transaction.state.log.min.isr": "2",
                "broker.session.timeout.ms": "9000",
                "broker.heartbeat.interval.ms": "2000",
                **(two_ways(port, controller, inside, outside) if proxied else {}),
            },
        )
        for number, (port, controller, inside, outside) in enumerate(
            zip(ports, controllers, inner, outer, strict=True), start=1
        )
    }
    proxies = {
        number: Proxy(outside, inside)
        for number, (inside, outside) in enumerate(zip(inner, outer, strict=True), start=1)
        if proxied
    }
    with ExitStack() as stack:
        for node in nodes.values():
            node.launch()
            stack.callback(node.kill)  # a frozen server cannot be stopped cleanly
        for node in nodes.values():
            node.wait_until_ready()
        for proxy in proxies.values():
            stack.enter_context(proxy)
        yield Cluster(nodes, proxies)
