"""Requests in memory: Kafka is asked for more only where a whole fetch has room.

Fault (aiokafka 0.14 under Faust 0.15): buffers are limited by the number of records, or for each
partition. A record is as large as its picture, so that 100 waiting requests of 4 MB, and a topic of
100 partitions all the more, take a gigabyte.

Repair: what was fetched and is not answered is counted in bytes, in aiokafka's buffers as well as
behind them. Where it leaves no room for another fetch, the partitions are left out of the next
requests to the brokers: records wait in Kafka.
"""

import random
import threading
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.structs import ConsumerRecord
from faust.types import TP

__all__ = ["FetchBudget"]

#: Seconds between two looks whether there is room again.
LOOK_AGAIN = 0.02
#: Seconds that a broker may keep a request for other topics meanwhile. Each request costs about a
#: millisecond, and under load there is nearly always no room.
OTHERS_WAIT = 0.1


class FetchBudget:
    """Bytes of requests that were fetched and are not answered.

    The consumer's thread adds and asks; the event loop releases.

    Args:
        topics: whose records count.
        fetch: bytes of one fetch at most.
        most: bytes in all.
    """

    def __init__(self, topics: Collection[str], *, fetch: int, most: int) -> None:
        self._topics = topics
        self._fetch = fetch
        self.most = most
        self._sizes: dict[tuple[TP, int], int] = {}
        self._held = 0
        self._lock = threading.Lock()
        self._fetcher: Any = None
        #: Brokers that were asked for records that count, and have not answered.
        self._asked: set[int] = set()

    @property
    def held(self) -> int:
        """Bytes of records that have left aiokafka's buffers and are not answered."""
        return self._held

    def watch(self, fetcher: Any) -> None:
        """Limit what ``fetcher``, aiokafka's, asks for at a time, and count what it holds."""
        fetcher._fetch_max_bytes = self._fetch
        self._fetcher = fetcher

    def take(self, found: Mapping[TP, Iterable[ConsumerRecord]]) -> None:
        """Count records that leave the fetcher."""
        for tp, records in found.items():
            if tp.topic in self._topics:
                with self._lock:
                    for record in records:
                        size = _size(record)
                        self._held += size - self._sizes.get((tp, record.offset), 0)
                        self._sizes[tp, record.offset] = size

    def release(self, tp: TP, offset: int) -> None:
        """Count a record no longer: it is answered."""
        with self._lock:
            self._held -= self._sizes.pop((tp, offset), 0)

    def clear(self) -> None:
        """Count nothing: all that was fetched is thrown away."""
        with self._lock:
            self._sizes.clear()
            self._held = 0

    def left_out(self) -> Collection[str]:
        """Return the topics of which nothing may be fetched now, as there is no room."""
        return self._topics if self._fetches_left() < 1 else ()

    def limited(self, actions: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return aiokafka's next actions without the requests that there is no room for.

        Where there is none, other partitions must not keep their brokers for long.
        """
        requests, resets, seconds, *others = actions
        left = self._fetches_left()
        granted = []
        for node, request in random.sample(requests, len(requests)):  # none is always the last
            if any(topic in self._topics for topic, _ in request.topics):
                if left < 1:
                    continue
                left -= 1
                self._asked.add(node)
            granted.append((node, request))
        if left < 1:
            seconds = min(seconds, LOOK_AGAIN)
            for node, request in granted:
                if node not in self._asked:
                    request._max_wait_ms = min(request._max_wait_ms, int(OTHERS_WAIT * 1000))
        return granted, resets, seconds, *others

    def _fetches_left(self) -> int:
        fetcher = self._fetcher
        if fetcher is None:
            return 1
        self._asked &= fetcher._in_flight
        used = self._held + self._buffered() + len(self._asked) * self._fetch
        return (self.most - used) // self._fetch if used else max(1, self.most // self._fetch)

    def _buffered(self) -> int:
        return sum(
            result._partition_records._records.size_in_bytes()
            for tp, result in self._fetcher._records.items()
            if tp.topic in self._topics and isinstance(result, FetchResult) and result.has_more()
        )


def _size(record: ConsumerRecord) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.value or b"") + len(record.key or b"") + headers
