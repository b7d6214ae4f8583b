"""Settings of the local server: Kafka's defaults, except for the needs of one small node.

Their meanings: https://kafka.apache.org/documentation/#brokerconfigs.
"""

from collections.abc import Mapping
from pathlib import Path

__all__ = ["HOST", "RETENTION_BYTES", "as_text", "server_properties"]

HOST = "127.0.0.1"

#: Bytes kept of each partition, for at most a week, which is Kafka's default. Older records are
#: deleted a segment at a time, within five minutes.
RETENTION_BYTES = 1024 * 1024 * 1024
SEGMENT_BYTES = 64 * 1024 * 1024


def server_properties(data: Path, port: int, controller_port: int) -> dict[str, str]:
    """Return the settings of a server with its log in ``data``, on the loopback interface."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(data),
        "log.retention.bytes": str(RETENTION_BYTES),
        "log.segment.bytes": str(SEGMENT_BYTES),
        # One node cannot have the three replicas that are the default.
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # For fewer files and faster starts.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
        # A group on one machine need not wait for more members, and may want short sessions.
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        # After a crash, the controller accepts the server again only after this time.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        # By default, the controller writes an empty record twice a second: a third of the CPU time
        # of an idle server.
        "metadata.max.idle.interval.ms": "5000",
        # Half the memory of the defaults, which suit a data centre.
        "log.cleaner.dedupe.buffer.size": "2097152",
        "log.cleaner.io.buffer.size": "65536",
        "log.cleaner.threads": "1",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "num.recovery.threads.per.data.dir": "1",
        "background.threads": "2",
    }


def as_text(settings: Mapping[str, str]) -> str:
    """Return ``settings`` in the format of Java's properties files."""
    return "".join(f"{key}={_escaped(value)}\n" for key, value in settings.items())


def _escaped(value: str) -> str:
    """Escape backslashes and all characters outside ASCII."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04x}" for code in codes)
