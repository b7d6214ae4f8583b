"""Content of the topics: requests that count, and the answers to them."""

import time
from collections import defaultdict
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from tests.support.client import LABELS, REJECTED, REQUESTS

__all__ = ["Answers", "committed_requests"]

POLL_SECONDS = 0.5
MANY = 500
REQUEST_SECONDS = 30.0


class Answers:
    """Reader of every label and rejection, from the first one on, until the block ends.

    Attributes:
        labels: source to the times at which its labels arrived, in seconds of the monotonic clock.
        rejected: the same for rejections.
        verdicts: source to the verdicts of its labels.
        reasons: source to the reasons of its rejections.
    """

    def __init__(self, address: str) -> None:
        self.labels: dict[str, list[float]] = defaultdict(list)
        self.rejected: dict[str, list[float]] = defaultdict(list)
        self.verdicts: dict[str, set[str]] = defaultdict(set)
        self.reasons: dict[str, set[str]] = defaultdict(set)
        self._consumer = _consumer(address, LABELS, REJECTED)
        self._over = Event()
        self._thread = Thread(target=self._read)

    @property
    def sources(self) -> set[str]:
        """Sources of the requests that have an answer."""
        return set(self.labels) | set(self.rejected)

    def _read(self) -> None:
        while not self._over.is_set():
            for message in self._consumer.consume(MANY, POLL_SECONDS):
                if message.error() is None:
                    headers = _text(message.headers())
                    source, is_label = headers["source"], message.topic() == LABELS
                    (self.labels if is_label else self.rejected)[source].append(time.monotonic())
                    told = self.verdicts if is_label else self.reasons
                    told[source].add(headers["verdict" if is_label else "reason"])
        self._consumer.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()


def _text(headers: Any) -> dict[str, str]:
    return {name: value.decode() for name, value in headers}


def committed_requests(address: str) -> set[str]:
    """Return the source of every request in Kafka, without those of aborted transactions."""
    consumer = _consumer(address, REQUESTS)
    partitions = consumer.assignment()
    left = {
        tp.partition: end
        for tp in partitions
        if (end := consumer.get_watermark_offsets(tp, REQUEST_SECONDS)[1])
    }
    sources = set()
    try:
        while left:
            for message in consumer.consume(MANY, POLL_SECONDS):
                if message.error() is None:
                    sources.add(f"{REQUESTS}/{message.partition()}/{message.offset()}")
            for tp in consumer.position(partitions):
                if tp.offset >= left.get(tp.partition, tp.offset + 1):
                    del left[tp.partition]
    finally:
        consumer.close()
    return sources


def _consumer(address: str, *topics: str) -> Consumer:
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "chaos",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "log_level": 0,
        }
    )
    metadata = None
    while metadata is None:
        with suppress(KafkaException):  # a broker may be unavailable
            metadata = consumer.list_topics(timeout=REQUEST_SECONDS)
    consumer.assign(
        [
            TopicPartition(topic, number, OFFSET_BEGINNING)
            for topic in topics
            for number in metadata.topics[topic].partitions
        ]
    )
    return consumer
