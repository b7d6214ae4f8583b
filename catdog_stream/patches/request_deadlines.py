"""Patch: each request to Kafka has a deadline of its own.

Fault (aiokafka 0.14): one time limit covers everything. The limit of a consumer must be longer than
a rebalance, since joining waits for the other members. The limit of a producer is also the longest
wait of a record for a broker, twenty minutes. A broker whose process is frozen keeps its
connections open. During that limit nothing is written to the partitions that it led, though other
brokers lead them by then, a metadata request waits, and so does every new connection behind the one
to this broker.

Repair: each kind of request has its limit in ``deadlines``, and so has connecting. Waiting requests
can be listed, so that a worker can report a silent broker. Failures are counted here, since every
request and every connection of the process passes here.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaError

from catdog_stream import deadlines
from catdog_stream.metrics import count_broker_error

__all__ = ["Waiting", "install", "last_answer", "waiting_longest"]

_PRODUCE = 0
_COMMIT, _JOIN, _SYNC = 8, 11, 14
#: The broker may delay these, and it answers the requests of a connection in their order.
_HOLD_UP_OTHERS = frozenset((_COMMIT, _JOIN, _SYNC))
#: Their duration says nothing about the broker: it waits for other members of the group.
_NO_SILENCE = frozenset((_JOIN, _SYNC))

#: Part of a deadline that counts as the whole: a timer may fire a little early.
_NEARLY = 0.99

_send = AIOKafkaConnection.send
_connect = AIOKafkaConnection.connect


class Waiting(NamedTuple):
    """Request without an answer yet."""

    since: float
    address: str


# By the id of the request's future. Each thread of a worker adds and removes its own entries.
_waiting: dict[int, Waiting] = {}
#: Time of the last answer.
_answered = [time.monotonic()]


def waiting_longest(clock: Callable[[], float] = time.monotonic) -> tuple[float, str] | None:
    """Return the seconds that the oldest request has waited, and the address of its broker."""
    oldest = min(tuple(_waiting.values()), default=None)
    return None if oldest is None else (clock() - oldest.since, oldest.address)


def last_answer(clock: Callable[[], float] = time.monotonic) -> float:
    """Return the seconds since any broker answered a request, or since the program began."""
    return clock() - _answered[0]


def _send_with_deadline(self: Any, request: Any, expect_response: bool = True) -> Any:
    usual, key = self._request_timeout, request.API_KEY
    if key == _PRODUCE:
        request._timeout = min(request._timeout, int(deadlines.COPIES * 1000))
    before = (sent.API_KEY for _, sent, _ in self._requests if sent is not None)
    slowest = max(
        deadlines.request_seconds(key),
        *(deadlines.request_seconds(other) for other in before if other in _HOLD_UP_OTHERS),
        0.0,
    )
    self._request_timeout = min(usual, slowest)
    try:
        answer = _send(self, request, expect_response)
    finally:
        self._request_timeout = usual
    if expect_response:
        future = self._requests[-1][2]
        late = time.monotonic() + _NEARLY * min(usual, slowest)
        future.add_done_callback(partial(_count_failure, late))
        if key not in _NO_SILENCE:
            _remember(future, f"{self.host}:{self.port}")
    return answer


def _remember(future: "asyncio.Future[Any]", address: str) -> None:
    number = id(future)
    _waiting[number] = Waiting(time.monotonic(), address)
    future.add_done_callback(lambda _: _waiting.pop(number, None))


def _count_failure(late: float, future: "asyncio.Future[Any]") -> None:
    """Count a lost connection, or a passed deadline, after which aiokafka cancels the future.

    Record the time if the request was answered.
    """
    if not future.cancelled() and future.exception() is None:
        _answered[0] = time.monotonic()
        return
    passed = future.cancelled() and time.monotonic() >= late
    if passed or not future.cancelled():
        count_broker_error("request")


async def _connect_with_deadline(self: Any) -> Any:
    try:
        async with asyncio.timeout(min(self._request_timeout, deadlines.CONNECT)):
            return await _connect(self)
    except (KafkaError, OSError, TimeoutError):
        count_broker_error("connect")
        raise


def install() -> None:
    """Patch every connection of this process."""
    AIOKafkaConnection.send = _send_with_deadline
    AIOKafkaConnection.connect = _connect_with_deadline
