"""Client of the wire contract that reads and writes its records without the package's help."""

import asyncio
import base64
import json
import sys
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer, ConsumerRecord

from catdog_stream.kafka.names import Names
from catdog_stream.kafka.replies import Reply
from catdog_stream.kafka.request_reply import request_reply
from catdog_stream.settings import Settings

REQUESTS, LABELS, REJECTED = "catdogimage", "catdoglabel", "catdogimage-rejected"
MAX_BYTES = 20_000_000


def request(picture: bytes, url: str = "aHR0cDovL2V4YW1wbGUub3JnLw", **fields: Any) -> bytes:
    """Return the value of a request as existing clients write it."""
    body = {"url": url, "data": base64.b64encode(picture).decode(), **fields}
    return json.dumps(body).encode()


def strict_label(value: bytes | None, *, sent: Collection[str] = ()) -> dict[str, Any]:
    """Read a label as the existing web page does: a field that was not ``sent`` is an error."""
    assert value is not None
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10 * limit)  # further fields may be nested deeply
    try:
        body = json.loads(value, parse_int=_integer)
    finally:
        sys.setrecursionlimit(limit)
    unknown = set(body) - {"label", "url", "data", *sent}
    assert not unknown, f"a strict reader refuses {unknown}"
    return dict(body)


def _integer(digits: str) -> int | str:
    """Return an integer; an integer that is too long for Python to parse is returned as text."""
    return digits if len(digits) > sys.int_info.default_max_str_digits else int(digits)


@dataclass
class Message:
    """Request to send."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None
    timestamp_ms: int | None = None


@dataclass
class Client:
    """Client that sends requests and collects every answer that arrives while the block runs."""

    #: ``host:port``, or several of them with commas in between.
    address: str
    names: Names = field(default_factory=Names)
    labels: dict[str, list[ConsumerRecord]] = field(default_factory=lambda: defaultdict(list))
    rejected: dict[str, list[ConsumerRecord]] = field(default_factory=lambda: defaultdict(list))

    async def __aenter__(self) -> Self:
        """Connect. The topics must exist: start a worker first."""
        brokers = ";".join(f"kafka://{address}" for address in self.address.split(","))
        cluster = replace(
            Settings(broker=brokers, names=self.names).cluster, max_answer_bytes=MAX_BYTES
        )
        async with AsyncExitStack() as stack:
            # A producer of its own: during an outage it retries longer than the commands' producer.
            self.producer = await stack.enter_async_context(
                AIOKafkaProducer(
                    bootstrap_servers=self.address, acks="all", max_request_size=MAX_BYTES
                )
            )
            self._asking = await stack.enter_async_context(
                request_reply(cluster, on_reply=self.note, sender=self.producer)
            )
            self._connections = stack.pop_all()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self._connections.aclose()

    async def send(self, messages: Iterable[Message | bytes | None]) -> list[str]:
        """Send messages, wait until Kafka has them, and return the ``source`` of each."""
        questions = []
        for item in messages:
            message = item if isinstance(item, Message) else Message(item)
            questions.append(
                await self._asking.send(
                    message.value,
                    key=message.key,
                    headers=message.headers,
                    partition=message.partition,
                    timestamp_ms=message.timestamp_ms,
                )
            )
        return [str(source) for source in await asyncio.gather(*(q.sent for q in questions))]

    async def answers(self, sources: Iterable[str], deadline: float = 90.0) -> None:
        """Wait until each source has a label or a rejection."""
        end = time.monotonic() + deadline
        wanted = set(sources)
        while wanted - self.labels.keys() - self.rejected.keys():
            if self._asking.failure is not None:
                raise self._asking.failure
            missing = wanted - self.labels.keys() - self.rejected.keys()
            assert time.monotonic() < end, f"{len(missing)} unanswered: {sorted(missing)[:5]}"
            await asyncio.sleep(0.02)

    def note(self, reply: Reply) -> None:
        """Store a record that has arrived."""
        record = reply.record
        source = header(record, "source")
        kind = self.labels if reply.is_label else self.rejected
        kind[source or f"{record.topic}/{record.partition}/{record.offset}"].append(record)


def header(record: ConsumerRecord, name: str) -> str | None:
    """Return a header's text."""
    value = dict(record.headers).get(name)
    return None if value is None else value.decode()
