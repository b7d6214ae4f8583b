"""Sender of records that clients in other languages can send and aiokafka's producer refuses."""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from tests.support.client import REQUESTS, Message

_GZIP = 1
_MAX_BYTES = 100_000_000


class NotUtf8(str):
    """Name of a header, each character of it a byte that UTF-8 never has."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return the bytes that are sent to Kafka."""
        del encoding, errors
        return b"\xff" * len(self)


async def send_odd(address: str, messages: Sequence[Message]) -> list[str]:
    """Send each record as a compressed batch of its own and return the ``source`` of each.

    A topic's limit is one of compressed bytes, so it accepts very large records in this way.
    """
    sources = []
    async with AIOKafkaProducer(
        bootstrap_servers=address, acks="all", max_request_size=_MAX_BYTES
    ) as producer:
        for number, message in enumerate(messages):
            batch = producer.create_batch()
            # The builder in Python: the one in C requires plain strings.
            batch._builder = _DefaultRecordBatchBuilderPy(2, _GZIP, 0, -1, -1, 0, 1)
            batch.append(
                key=message.key,
                value=message.value,
                timestamp=message.timestamp_ms,
                headers=list(message.headers),
            )
            sent = await producer.send_batch(batch, REQUESTS, partition=number % 4)
            record = await sent
            sources.append(f"{record.topic}/{record.partition}/{record.offset}")
    return sources
