"""Check for silent brokers over connections of its own, which no other request delays."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.probe import look

__all__ = ["silence"]


async def silence(cluster: ClusterConfig) -> str | None:
    """Return a sentence about the brokers that do not answer; ``None`` if all answer.

    A client that waits for one silent broker reports nothing, and the other brokers answer for it.
    So each broker is asked. Takes at most twice ``deadlines.LOOK``.
    """
    try:
        async with asyncio.timeout(deadlines.LOOK):
            brokers = [(each.host, each.port) for each in (await look(cluster)).brokers()]
    except BrokerError as error:
        return error.message
    except TimeoutError:
        return f"Kafka at {cluster.where} does not answer."
    arguments = dict(cluster.connection)
    arguments.pop("bootstrap_servers")
    answers = await asyncio.gather(*(_answers(*each, arguments) for each in brokers))
    silent = [
        f"{host}:{port}"
        for (host, port), answered in zip(brokers, answers, strict=True)
        if not answered
    ]
    return f"Kafka at {', '.join(silent)} does not answer." if silent else None


async def _answers(host: str, port: int, arguments: Mapping[str, Any]) -> bool:
    try:
        async with asyncio.timeout(deadlines.LOOK):
            connection = await create_conn(host, port, **arguments)
            try:
                await connection.send(MetadataRequest([]))
            finally:
                connection.close()
    except (KafkaError, OSError, TimeoutError):
        return False
    return True
