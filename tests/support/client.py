"""A client of the wire contract that knows nothing of the package's own code."""

import asyncio
import base64
import json
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

REQUESTS, LABELS, REJECTED = "catdogimage", "catdoglabel", "catdogimage-rejected"
MAX_BYTES = 20_000_000


def request(picture: bytes, url: str = "aHR0cDovL2V4YW1wbGUub3JnLw", **fields: Any) -> bytes:
    """The value of a request as existing clients write it."""
    body = {"url": url, "data": base64.b64encode(picture).decode(), **fields}
    return json.dumps(body).encode()


def strict_label(value: bytes | None, *, sent: Collection[str] = ()) -> dict[str, Any]:
    """Read a label as the existing web page does: any field is an error that was not ``sent``."""
    assert value is not None
    body = json.loads(value)
    unknown = set(body) - {"label", "url", "data", *sent}
    assert not unknown, f"a strict reader refuses {unknown}"
    return dict(body)


async def follow_answers(consumer: AIOKafkaConsumer) -> None:
    """Have ``consumer`` read every label and rejection from now on. The topics must exist."""
    metadata = await consumer._client.fetch_all_metadata()
    partitions = [
        TopicPartition(topic, number)
        for topic in (LABELS, REJECTED)
        for number in metadata.partitions_for_topic(topic)
    ]
    consumer.assign(partitions)
    await consumer.seek_to_end(*partitions)
    for partition in partitions:
        await consumer.position(partition)


@dataclass
class Message:
    """One request to send."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None
    timestamp_ms: int | None = None


@dataclass
class Client:
    """Sends requests and collects every answer that arrives while the block runs."""

    address: str
    labels: dict[str, list[ConsumerRecord]] = field(default_factory=lambda: defaultdict(list))
    rejected: dict[str, list[ConsumerRecord]] = field(default_factory=lambda: defaultdict(list))

    async def __aenter__(self) -> Self:
        """Connect. The topics must exist: start a worker first."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self.address, acks="all", max_request_size=MAX_BYTES
        )
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self.address, max_partition_fetch_bytes=MAX_BYTES
        )
        await self._producer.start()
        await self._consumer.start()
        await follow_answers(self._consumer)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._reader.cancel()
        await self._consumer.stop()
        await self._producer.stop()

    async def send(self, messages: Iterable[Message | bytes | None]) -> list[str]:
        """Send and wait until Kafka has them; the ``source`` of each."""
        futures = []
        for item in messages:
            message = item if isinstance(item, Message) else Message(item)
            futures.append(
                await self._producer.send(
                    REQUESTS,
                    message.value,
                    key=message.key,
                    headers=list(message.headers),
                    partition=message.partition,
                    timestamp_ms=message.timestamp_ms,
                )
            )
        records = await asyncio.gather(*futures)
        return [f"{record.topic}/{record.partition}/{record.offset}" for record in records]

    async def answers(self, sources: Iterable[str], deadline: float = 90.0) -> None:
        """Wait until each source has a label or a rejection."""
        end = time.monotonic() + deadline
        wanted = set(sources)
        while wanted - self.labels.keys() - self.rejected.keys():
            if self._reader.done():
                self._reader.result()
            missing = wanted - self.labels.keys() - self.rejected.keys()
            assert time.monotonic() < end, f"{len(missing)} unanswered: {sorted(missing)[:5]}"
            await asyncio.sleep(0.02)

    async def _read(self) -> None:
        async for record in self._consumer:
            source = header(record, "source")
            kind = self.labels if record.topic == LABELS else self.rejected
            kind[source or f"{record.topic}/{record.partition}/{record.offset}"].append(record)


def header(record: ConsumerRecord, name: str) -> str | None:
    """A header's text."""
    value = dict(record.headers).get(name)
    return None if value is None else value.decode()
