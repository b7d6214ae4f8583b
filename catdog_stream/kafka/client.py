"""Requests in the format of existing clients, and a producer for them."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import IDEMPOTENT_WRITE, explained

__all__ = ["opaque_url", "producer", "shown_url"]


def opaque_url(text: str) -> str:
    """Encode ``text`` as URL-safe base64 without padding, as the first system's clients send it."""
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogateescape")).decode().rstrip("=")


def shown_url(url: str | None) -> str:
    """Return the text behind ``opaque_url``, or ``url`` itself if it is not such an encoding."""
    if not url:
        return "-"
    try:
        padded = url + "=" * (-len(url) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError:
        return url
    return text if text.isprintable() else url


@asynccontextmanager
async def producer(cluster: ClusterConfig) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a started producer, which creates no topic. Raises ``BrokerError``."""
    sender = AIOKafkaProducer(
        **cluster.connection,
        acks="all",
        # Otherwise a request that is sent again after a lost answer is stored in Kafka twice.
        enable_idempotence=True,
        max_request_size=2 * cluster.max_answer_bytes,
    )
    try:
        with explained(cluster, IDEMPOTENT_WRITE):
            await sender.start()
        with explained(cluster):
            yield sender
    finally:
        await sender.stop()
