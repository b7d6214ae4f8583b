"""Check that all replicas are in sync, so that the cluster can lose one broker."""

from confluent_kafka.admin import AdminClient

from catdog_stream.testing.waiting import wait_until
from tests.support.cluster import NODES, Cluster

__all__ = ["wait_for_replicas"]

SECONDS = 120.0
REQUEST_SECONDS = 5.0


def wait_for_replicas(cluster: Cluster) -> None:
    """Wait until each partition has as many in-sync replicas as there are brokers."""
    admin = AdminClient({"bootstrap.servers": cluster.address, "log_level": 0})

    def whole() -> bool:
        try:
            metadata = admin.list_topics(timeout=REQUEST_SECONDS)
        except Exception:  # noqa: BLE001 - whatever keeps it from answering, it is not whole
            return False
        return len(metadata.brokers) == NODES and all(
            len(partition.isrs) == len(partition.replicas)
            for topic in metadata.topics.values()
            for partition in topic.partitions.values()
        )

    wait_until(whole, "all copies to be in step", SECONDS)
