"""A client of the stream: publishes pictures as existing clients do, and reads the answers."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from catdog_stream.errors import BrokerError
from catdog_stream.kafka.cluster import connection, create_topics
from catdog_stream.topics import LABELS, REJECTED
from catdog_stream.wire import Source

if TYPE_CHECKING:
    from catdog_stream.worker.application import CatDogApp

__all__ = ["Reply", "opaque_url", "producer", "replies", "request_value", "shown_url"]


@dataclass(frozen=True, slots=True)
class Reply:
    """One record of ``catdoglabel`` or ``catdogimage-rejected``, as far as it can be read."""

    source: Source | None
    #: The label's text; ``None`` for a rejection.
    label: str | None
    url: str | None
    reason: str
    detail: str


def opaque_url(text: str) -> str:
    """URL-safe base64 without padding, as the first system's clients send it."""
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogateescape")).decode().rstrip("=")


def shown_url(url: str | None) -> str:
    """The text behind ``opaque_url``, or ``url`` itself where it is something else."""
    if not url:
        return "-"
    try:
        padded = url + "=" * (-len(url) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError:
        return url
    return text if text.isprintable() else url


def request_value(picture: bytes, url: str) -> bytes:
    """The value of a request."""
    return orjson.dumps({"label": None, "url": url, "data": base64.b64encode(picture).decode()})


@asynccontextmanager
async def producer(app: "CatDogApp") -> AsyncIterator[AIOKafkaProducer]:
    """A producer for requests; creates missing topics first. Raises ``BrokerError``."""
    await create_topics(app)
    sender = AIOKafkaProducer(
        **connection(app),
        acks="all",
        # Without it a request that is sent again after a lost answer stands in Kafka twice.
        enable_idempotence=True,
        max_request_size=2 * app.settings.max_answer_bytes,
    )
    try:
        await sender.start()
        yield sender
    except KafkaError as error:
        raise BrokerError(f"Kafka did not take the request: {error!r}.") from error
    finally:
        await sender.stop()


@asynccontextmanager
async def replies(
    app: "CatDogApp", *, from_beginning: bool = False
) -> AsyncIterator[AsyncIterator[Reply]]:
    """Labels and rejections that arrive from now on. Raises ``BrokerError``."""
    partitions = await create_topics(app)
    consumer = AIOKafkaConsumer(
        **connection(app), enable_auto_commit=False, max_partition_fetch_bytes=4 * 1024 * 1024
    )
    try:
        await consumer.start()
        tps = [
            TopicPartition(topic, n)
            for topic in (LABELS, REJECTED)
            for n in range(partitions[topic])
        ]
        consumer.assign(tps)
        seek = consumer.seek_to_beginning if from_beginning else consumer.seek_to_end
        await seek(*tps)
        for tp in tps:  # seeking is lazy: whoever sends next must not be missed
            await consumer.position(tp)
        yield _read(consumer)
    except KafkaError as error:
        raise BrokerError(f"Kafka stopped answering: {error!r}.") from error
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer) -> AsyncIterator[Reply]:
    async for record in consumer:
        headers = {name: value or b"" for name, value in record.headers}
        try:
            body = orjson.loads(record.value or b"")
        except orjson.JSONDecodeError:
            body = None
        fields = body if isinstance(body, dict) else {}
        label, url = fields.get("label"), fields.get("url")
        yield Reply(
            source=Source.parse(headers.get("source")),
            label=str(label) if record.topic == LABELS else None,
            url=url if isinstance(url, str) else None,
            reason=headers.get("reason", b"").decode("utf-8", "replace"),
            detail=headers.get("detail", b"").decode("utf-8", "replace"),
        )
