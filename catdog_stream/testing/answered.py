"""Requests in Kafka with their answers, without a worker."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiokafka.structs import RecordMetadata
from PIL import Image

from catdog_stream.errors import RejectedRequest
from catdog_stream.kafka.client import producer
from catdog_stream.kafka.cluster import create_topics
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.messages.labels import verdict_label
from catdog_stream.messages.requests.json_format import JsonFormat
from catdog_stream.messages.wire import Incoming, Source, rejection
from catdog_stream.models.verdict import Verdict

__all__ = ["Answered", "publish_answers"]

STACK = "testing 1"


@dataclass(frozen=True, slots=True)
class Answered:
    """Request and its answer, as stored in Kafka."""

    source: Source
    value: bytes
    answer: Mapping[str, float] | RejectedRequest


async def publish_answers(
    cluster: ClusterConfig, answers: Iterable[Mapping[str, float] | RejectedRequest]
) -> list[Answered]:
    """Write a request and its answer for each of ``answers``: scores by class, or a rejection.

    All pictures are the same grey; the stack is named "testing 1". Returns once Kafka has confirmed
    all records. No worker may read the same topics: it would answer as well.

    Raises:
        BrokerError: no broker answers, or it refuses.
    """
    written = []
    await create_topics(cluster)
    async with producer(cluster) as sender:
        for number, answer in enumerate(answers):
            value = JsonFormat().write(_grey_png(), str(number))[0]
            record: RecordMetadata = await sender.send_and_wait(cluster.names.requests, value)
            source = Source(record.topic, record.partition, record.offset)
            incoming = Incoming(source, None, value, (), None)
            if isinstance(answer, RejectedRequest):
                topic = cluster.names.rejected
                reply = rejection(incoming, answer, max_bytes=cluster.max_answer_bytes)
            else:
                topic, verdict = cluster.names.labels, Verdict(answer, STACK)
                reply = verdict_label(
                    incoming,
                    text=verdict.text,
                    url=str(number),
                    verdict=verdict.label,
                    scores=answer,
                    stack=STACK,
                )
            await sender.send_and_wait(
                topic,
                reply.value,
                key=reply.key,
                headers=list(reply.headers),
                partition=source.partition,
            )
            written.append(Answered(source, value, answer))
    return written


def _grey_png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "grey").save(file, "PNG")
    return file.getvalue()
