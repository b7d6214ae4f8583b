"""Probe of the cluster over connections of its own, which no frozen broker blocks."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aiokafka.cluster import ClusterMetadata
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.unreachable import why_unreachable

__all__ = ["look", "without_leader"]


async def look(cluster: ClusterConfig) -> ClusterMetadata:
    """Return the cluster's metadata from the first broker that answers.

    Raises:
        BrokerError: no broker answers.
    """
    arguments = dict(cluster.connection)
    servers = arguments.pop("bootstrap_servers")
    asked: set[asyncio.Task[ClusterMetadata]] = set()
    try:
        for server in servers:
            asked.add(asyncio.ensure_future(_ask(server, arguments)))
            done, _ = await asyncio.wait(
                asked, timeout=deadlines.NEXT_ADDRESS, return_when=asyncio.FIRST_COMPLETED
            )
            if (answer := _first(done)) is not None:
                return answer
            asked -= done
        while asked:
            done, asked = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            if (answer := _first(done)) is not None:
                return answer
    finally:
        for task in asked:
            task.cancel()
    raise BrokerError(await why_unreachable(cluster))


async def _ask(server: str, arguments: Mapping[str, Any]) -> ClusterMetadata:
    ((host, port, _family),) = collect_hosts(server)
    asked = await create_conn(host, port, **arguments)
    try:
        metadata = ClusterMetadata()
        metadata.update_metadata(await asked.send(MetadataRequest(None)))
        return metadata
    finally:
        asked.close()


def _first(
    tasks: Collection["asyncio.Task[ClusterMetadata]"],
) -> ClusterMetadata | None:
    """Return the first answer among finished tasks; raise errors that no broker caused."""
    for task in tasks:
        try:
            return task.result()
        except (KafkaError, OSError, UnicodeError):
            continue
    return None


def without_leader(metadata: ClusterMetadata, topics: Iterable[str]) -> str | None:
    """Return one sentence that names partitions without a leader; ``None`` if all have one."""
    lost = [
        f"{name}/{number}"
        for name in topics
        for number in sorted(
            (metadata.partitions_for_topic(name) or set())
            - (metadata.available_partitions_for_topic(name) or set())
        )
    ]
    if not lost:
        return None
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    return f"No broker leads the partition {lost[0]}{more}."
