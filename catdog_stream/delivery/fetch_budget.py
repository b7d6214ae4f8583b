"""Memory budget for fetched requests: Kafka is asked for more only if a whole fetch fits.

Fault (aiokafka 0.14 under Faust 0.15): buffers are limited by the number of records, or for each
partition. A record is as large as its picture, so 100 waiting requests of 4 MB take a gigabyte, and
a topic of 100 partitions takes even more.

Repair: the bytes of fetched and unanswered records are counted, both in aiokafka's buffers and
behind them. If another fetch does not fit, the partitions are left out of the next requests to the
brokers, and their records wait in Kafka.
"""

import random
import threading
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.structs import ConsumerRecord
from faust.types import TP

__all__ = ["FetchBudget"]

#: Seconds between two checks if a fetch fits again.
LOOK_AGAIN = 0.02
#: Longest time in seconds for which a broker may meanwhile hold a request for other topics. Each
#: request costs about a millisecond, and under load the budget is nearly always used up.
OTHERS_WAIT = 0.1


class FetchBudget:
    """Budget in bytes for requests that were fetched and are not answered.

    The consumer's thread adds records and checks the budget; the event loop releases records.

    Args:
        topics: topics whose records count.
        fetch: largest size of one fetch, in bytes.
        most: the budget, in bytes.
    """

    def __init__(self, topics: Collection[str], *, fetch: int, most: int) -> None:
        self._topics = topics
        self._fetch = fetch
        self.most = most
        self._sizes: dict[tuple[TP, int], int] = {}
        self._held = 0
        self._lock = threading.Lock()
        self._fetcher: Any = None
        #: Ids of the brokers that have not answered a request for records that count.
        self._asked: set[int] = set()

    @property
    def held(self) -> int:
        """Bytes of records that have left aiokafka's buffers and are not answered."""
        return self._held

    def watch(self, fetcher: Any) -> None:
        """Limit the size of each fetch of aiokafka's ``fetcher``, and count its buffers."""
        fetcher._fetch_max_bytes = self._fetch
        self._fetcher = fetcher

    def take(self, found: Mapping[TP, Iterable[ConsumerRecord]]) -> None:
        """Count records that leave the fetcher's buffers."""
        for tp, records in found.items():
            if tp.topic in self._topics:
                with self._lock:
                    for record in records:
                        size = _size(record)
                        self._held += size - self._sizes.get((tp, record.offset), 0)
                        self._sizes[tp, record.offset] = size

    def release(self, tp: TP, offset: int) -> None:
        """Stop counting a record, which is answered."""
        with self._lock:
            self._held -= self._sizes.pop((tp, offset), 0)

    def clear(self) -> None:
        """Stop counting all records, which are discarded."""
        with self._lock:
            self._sizes.clear()
            self._held = 0

    def left_out(self) -> Collection[str]:
        """Return the topics that must not be fetched now, because no fetch fits."""
        return self._topics if self._fetches_left() < 1 else ()

    def limited(self, actions: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return aiokafka's next actions without the requests that do not fit into the budget.

        If none fits, requests for other partitions must not occupy their brokers for long.
        """
        requests, resets, seconds, *others = actions
        left = self._fetches_left()
        is_short = left < 1
        granted = []
        for node, request in random.sample(requests, len(requests)):  # shuffled: fair
            if any(topic in self._topics for topic, _ in request.topics):
                if left < 1:
                    is_short = True
                    continue
                left -= 1
                self._asked.add(node)
            granted.append((node, request))
        if is_short:
            seconds = min(seconds, LOOK_AGAIN)
            for _node, request in granted:
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
