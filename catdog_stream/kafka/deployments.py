"""Which stack is to serve, told to all workers through a compacted topic, and what they say.

``catdogstack`` has one partition. Its record with the key ``use`` is the order in force, which is
known by its offset::

    {"stack": "pets/3", "history": [{"order": 4, "stack": "pets/2", "served": true}, ...]}

``null`` is the stack of a worker's own settings. ``served`` says that a worker has reported to
serve it; an order that all have refused is nothing to go back to. ``undone`` marks what was taken
back already. Under a worker's address stands what it makes of the order that it follows::

    {"order": 17, "stack": "pets 2", "problem": null, "loading": "pets/3", "tries": 1}

The voters of a name have a topic of their own, ``catdogstack-NAME``: who votes is to serve another
stack than the others.

Anybody may write there, so that all of it is taken for what a stranger says.
"""

from collections import deque
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import orjson
from aiokafka import ConsumerRecord, TopicPartition

from catdog_stream.kafka.bounded_reader import consumer, extent, records
from catdog_stream.kafka.client import producer
from catdog_stream.kafka.cluster import create_compacted, topic_partitions
from catdog_stream.kafka.config import ClusterConfig

__all__ = [
    "MAX_REPORTS",
    "NONE",
    "Deployment",
    "Past",
    "Report",
    "Standing",
    "follow",
    "forget",
    "give",
    "report",
    "standing",
]

K = TypeVar("K")
V = TypeVar("V")

TOPIC = "catdogstack"


def topic_of(voter: str | None) -> str:
    """The topic of the voters of a name; of those that are none, without one."""
    return TOPIC if voter is None else f"{TOPIC}-{voter}"


_USE = b"use"
#: Orders that are remembered.
HISTORY = 50
#: A look into the topic waits so long for news: it is what following costs.
WAIT_MS = 2000

#: Longest record, longest text in one, and longest name of a stack that is looked at.
MAX_BYTES = 64 * 1024
MAX_TEXT = 1000
MAX_STACK = 200
#: Workers whose reports are read, and orders that they served: the latest. Anybody may write more.
MAX_REPORTS = 1000
#: The order of a worker that has followed none.
NONE = -1


@dataclass(frozen=True, slots=True)
class Past:
    """An order that was in force."""

    order: int
    stack: str | None
    #: Whether a worker has served it.
    served: bool
    #: Whether it was taken back, or gone back to.
    undone: bool = False


#: Before the first order.
_OWN = Past(NONE, None, served=True)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which stack is to serve, as text that anybody may have written; ``None``: the settings'."""

    offset: int
    stack: str | None
    #: Those before it, the last one first.
    history: tuple[Past, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker makes of an order."""

    #: Its address.
    worker: str
    #: The order's offset, or ``NONE``.
    order: int
    #: What serves now: name and version, as in the ``stack`` header.
    stack: str
    #: Why the order could not be followed, in a sentence.
    problem: str | None = None
    #: What it is about to serve, and has not loaded yet.
    loading: str | None = None
    #: How often it has begun to load it, in processes that did not live to tell more.
    tries: int = 0

    @property
    def done(self) -> bool:
        """Whether it has come to its end with the order."""
        return self.loading is None


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the topic."""

    #: What is in force; ``None`` if nothing was ever ordered.
    order: Deployment | None = None
    #: The last one of each worker, by its address.
    reports: Mapping[str, Report] = field(default_factory=dict)
    #: Those before ``order``, the last one first.
    history: tuple[Past, ...] = ()
    #: Whether a worker has served what is in force.
    served: bool = True

    def succeeded(self) -> tuple[Past, ...]:
        """The history of an order that comes now."""
        now = self.order
        return (_OWN,) if now is None else (Past(now.offset, now.stack, self.served), *self.history)

    def taken_back(self) -> tuple[str | None, tuple[Past, ...]] | None:
        """Back to the last stack that served before: it, and the history of the order to serve it.

        ``None`` if there is nothing to go back to.
        """
        if self.order is None:
            return None
        for place, past in enumerate(self.history):
            if past.served and not past.undone and past.stack != self.order.stack:
                done, left = self.succeeded()[: place + 2], self.history[place + 1 :]
                return past.stack, (*(replace(each, undone=True) for each in done), *left)
        return None

    def instead(self) -> Iterable[str | None]:
        """What to serve where the order cannot be followed: what served before, the last first."""
        return dict.fromkeys(past.stack for past in self.history if past.served)


async def give(
    cluster: ClusterConfig, stack: str | None, history: Iterable[Past], voter: str | None = None
) -> Deployment:
    """Have every worker use ``stack``, or every voter of a name. Raises ``BrokerError``."""
    kept = tuple(history)[:HISTORY]
    offset = await _write(cluster, topic_of(voter), _USE, {"stack": stack, "history": kept})
    return Deployment(offset, stack, kept)


async def report(cluster: ClusterConfig, told: Report, voter: str | None = None) -> None:
    """Tell what becomes of an order. Raises ``BrokerError``."""
    problem = told.problem if told.problem is None else told.problem[:MAX_TEXT]
    body = {
        "order": told.order,
        "stack": told.stack,
        "problem": problem,
        "loading": told.loading,
        "tries": told.tries,
    }
    await _write(cluster, topic_of(voter), told.worker.encode(), body)


async def forget(cluster: ClusterConfig, workers: Iterable[str], voter: str | None = None) -> None:
    """Drop what these workers have reported. Raises ``BrokerError``."""
    for worker in workers:
        await _write(cluster, topic_of(voter), worker.encode(), None)


async def _write(cluster: ClusterConfig, topic: str, key: bytes, body: Any) -> int:
    await create_compacted(cluster, topic)
    value = None if body is None else orjson.dumps(body)
    async with producer(cluster) as sender:
        record = await sender.send_and_wait(topic, value, key=key, partition=0)
    return int(record.offset)


async def standing(cluster: ClusterConfig, voter: str | None = None) -> Standing:
    """What stands in the topic now. Raises ``BrokerError``."""
    topic = topic_of(voter)
    partitions = (await topic_partitions(cluster, topic)).get(topic, 0)
    deployments: deque[Deployment] = deque(maxlen=HISTORY + 1)
    reports: dict[str, Report] = {}
    served: dict[int, None] = {}
    async for record in records(cluster, await extent(cluster, topic, min(partitions, 1))):
        news = _parse(record)
        if isinstance(news, Deployment):
            deployments.append(news)
        elif isinstance(news, Report):
            _put(reports, news.worker, news)
            if news.done and news.problem is None:
                _put(served, news.order, None)
        elif record.value is None and record.key is not None:
            reports.pop(record.key.decode(errors="replace"), None)
    if not deployments:
        return Standing(reports=reports)
    *before, now = deployments
    return Standing(now, reports, _history(now, before, served), now.offset in served)


def _put(latest: dict[K, V], key: K, value: V) -> None:
    """Have ``key`` be the latest of ``MAX_REPORTS`` keys."""
    latest.pop(key, None)
    latest[key] = value
    if len(latest) > MAX_REPORTS:
        del latest[next(iter(latest))]


def _history(
    now: Deployment, before: list[Deployment], served: Collection[int]
) -> tuple[Past, ...]:
    """What an order says of those before it, and what came to light since.

    A worker may have reported after it was given, and another order may have been given at the
    same moment.
    """
    known = max((past.order for past in now.history), default=NONE)
    unknown = (
        Past(each.offset, each.stack, each.offset in served)
        for each in reversed(before)
        if each.offset > known
    )
    told = (replace(past, served=True) if past.order in served else past for past in now.history)
    return (*unknown, *told)[:HISTORY]


async def follow(
    cluster: ClusterConfig, offset: int, voter: str | None = None
) -> AsyncGenerator[Deployment | Report, None]:
    """Orders and reports from ``offset`` on, as they come. Raises ``BrokerError``."""
    place = TopicPartition(topic_of(voter), 0)
    await create_compacted(cluster, place.topic)
    async with consumer(
        cluster,
        # Where the topic was made anew, all that is there comes.
        auto_offset_reset="earliest",
        fetch_max_wait_ms=WAIT_MS,
    ) as reader:
        reader.assign([place])
        reader.seek(place, offset)
        async for record in reader:
            if (news := _parse(record)) is not None:
                yield news


def _parse(record: ConsumerRecord) -> Deployment | Report | None:
    """What a record says; ``None`` if it is neither, or too large to be one."""
    if record.value is None or len(record.value) + len(record.key or b"") > MAX_BYTES:
        return None
    try:
        body = orjson.loads(record.value)
        if record.key == _USE:
            history = tuple(_past(entry) for entry in body.get("history", ()))[:HISTORY]
            return Deployment(record.offset, _text_or_none(body["stack"], MAX_STACK), history)
        return Report(
            _text((record.key or b"").decode()),
            _number(body["order"]),
            _text(body["stack"]),
            _text_or_none(body["problem"]),
            _text_or_none(body.get("loading")),
            _number(body.get("tries", 0)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _past(entry: Any) -> Past:
    return Past(
        _number(entry["order"]),
        _text_or_none(entry["stack"], MAX_STACK),
        served=entry["served"] is True,
        undone=entry.get("undone") is True,
    )


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _text(value: object, most: int = MAX_TEXT) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise TypeError
    return value


def _text_or_none(value: object, most: int = MAX_TEXT) -> str | None:
    return None if value is None else _text(value, most)
