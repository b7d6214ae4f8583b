"""Configuration of a Kafka client: addresses, credentials and record sizes of a cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from catdog_stream import deadlines
from catdog_stream.kafka.names import Names
from catdog_stream.kafka.security import Security

__all__ = ["ClusterConfig"]

CLIENT_ID = "catdog-stream"


@dataclass(frozen=True)
class ClusterConfig:
    """Cluster as its clients see it. ``Settings.cluster`` is the one that the settings name."""

    # The client that connects first creates the topics. A default here that differs from the
    # settings would limit these topics for every client.

    #: ``host:port`` of bootstrap brokers.
    addresses: tuple[str, ...]
    #: Protocol and credentials.
    security: Security
    #: Largest record of ``catdogimage``, in bytes.
    max_request_bytes: int
    #: Largest record of ``catdoglabel`` and ``catdogimage-rejected``, in bytes.
    max_answer_bytes: int
    #: Partitions of a topic that is created.
    partitions: int
    #: Replicas of a topic that is created.
    replicas: int
    #: ``False``: topics are created and extended by others.
    create_topics: bool = True
    #: Names of the application's topics and groups.
    names: Names = field(default_factory=Names)

    @property
    def where(self) -> str:
        """The addresses as text for messages."""
        return ", ".join(f"kafka://{address}" for address in self.addresses)

    @cached_property
    def connection(self) -> Mapping[str, Any]:
        """Keyword arguments of aiokafka's clients.

        Raises:
            SettingError: a certificate or key cannot be used.
        """
        return {
            "bootstrap_servers": list(self.addresses),
            "client_id": CLIENT_ID,
            "request_timeout_ms": int(deadlines.CLIENT_REQUEST * 1000),
            **credentials_to_aiokafka_auth(self.security.credentials(), None),
        }
