"""Requests of foreign producers: in every codec, in transactions, some of them aborted."""

import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException, Message, Producer

from tests.support.client import REQUESTS

__all__ = ["Load"]

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
#: Seconds between two requests of one producer; each codec has one producer.
INTERVAL = 0.6
TRANSACTION_INTERVAL = 1.5
#: Seconds for the last confirmations.
FLUSH_SECONDS = 120.0
#: One in this number of transactions is aborted.
ABORTED = 3


class Load:
    """Threads that send ``values`` until the block ends.

    Attributes:
        confirmed: source of each request that Kafka has confirmed, to the time of the confirmation,
            in seconds of the monotonic clock; requests of aborted transactions are not in it.
    """

    def __init__(self, address: str, values: Sequence[bytes]) -> None:
        self.confirmed: dict[str, float] = {}
        self._address = address
        self._values = values
        self._over = Event()
        self._threads = [Thread(target=self._plain, args=(codec,)) for codec in CODECS]
        self._threads.append(Thread(target=self._transactions))

    def _plain(self, codec: str) -> None:
        producer = Producer({**self._settings(), "compression.type": codec})
        number = CODECS.index(codec) * len(self._values) // len(CODECS)
        while not self._over.wait(INTERVAL):
            value = self._values[number % len(self._values)]
            producer.produce(REQUESTS, value, on_delivery=self._on_delivery)
            producer.poll(0)
            number += 1
        producer.flush(FLUSH_SECONDS)

    def _transactions(self) -> None:
        number = 0
        while not self._over.is_set():
            with suppress(KafkaException):  # fenced, or Kafka is unavailable: a new one continues
                producer = Producer({**self._settings(), "transactional.id": "chaos"})
                producer.init_transactions(FLUSH_SECONDS)
                while not self._over.wait(TRANSACTION_INTERVAL):
                    number += 1
                    self._transaction(producer, abort=number % ABORTED == 0)

    def _transaction(self, producer: Producer, *, abort: bool) -> None:
        delivered: list[Message] = []
        producer.begin_transaction()
        for value in self._values[:2]:
            producer.produce(
                REQUESTS,
                value,
                on_delivery=lambda error, message: None if error else delivered.append(message),
            )
        if abort:
            producer.flush(FLUSH_SECONDS)
            producer.abort_transaction(FLUSH_SECONDS)
        else:
            producer.commit_transaction(FLUSH_SECONDS)
            for message in delivered:
                self._on_delivery(None, message)

    def _on_delivery(self, error: object, message: Message) -> None:
        if error is None:
            source = f"{message.topic()}/{message.partition()}/{message.offset()}"
            self.confirmed[source] = time.monotonic()

    def _settings(self) -> dict[str, str | int | bool]:
        return {
            "bootstrap.servers": self._address,
            "enable.idempotence": True,
            "transaction.timeout.ms": 60_000,
            "log_level": 0,
        }

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
