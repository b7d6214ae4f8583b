"""A real Apache Kafka for tests: one server (KRaft, broker and controller in one process).

``jars`` has Maven fetch it once, ``cluster`` runs it with Java, ``python -m tests.support.kafka``
runs a command against it.
"""

from tests.support.kafka.cluster import KafkaCluster
from tests.support.kafka.jars import KafkaUnavailableError, fetch
from tests.support.kafka.secured import SecuredListeners

__all__ = ["KafkaCluster", "KafkaUnavailableError", "SecuredListeners", "fetch"]
