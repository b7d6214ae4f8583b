"""Deployments: the stack that all workers serve, and the workers' reports, in a compacted topic.

``catdogstack`` has one partition. Its record with the key ``use`` is the deployment in force. The
record's offset identifies the deployment::

    {"stack": "pets/3", "history": [{"order": 4, "stack": "pets/2", "served": true}, ...]}

``null`` is the stack of a worker's own settings. ``served`` means that a worker has reported that
it serves the deployment; a rollback skips a deployment that all workers have refused. ``undone``
marks a deployment that was rolled back. The record under a worker's address is the worker's report
on the deployment that it follows::

    {"order": 17, "stack": "pets 2", "problem": null, "loading": "pets/3", "tries": 1}

The voters of a name have a topic of their own, ``catdogstack-NAME``: each voter serves another
stack than the others.

Every client can write to the topic, so all its content is untrusted.
"""

import logging
from collections import deque
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, TypeVar

import orjson
from aiokafka import ConsumerRecord, TopicPartition
from msgspec import Meta

from catdog_stream.documents import convert
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
    "RolloutState",
    "deploy",
    "follow",
    "forget",
    "report",
    "rollout_state",
]

logger = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")

_USE = b"use"
#: Deployments kept in the history.
HISTORY = 50
#: Longest wait of a fetch for new records, in milliseconds. It sets the cost of following.
WAIT_MS = 2000

#: Largest record in bytes, longest text in a record, and longest stack name that is accepted.
MAX_BYTES = 64 * 1024
MAX_TEXT = 1000
MAX_STACK = 200
#: Most workers whose reports are kept, and most served deployments: the latest ones. Any
#: client may write more.
MAX_REPORTS = 1000
#: The deployment of a worker that has followed none.
NONE = -1

_Number = Annotated[int, Meta(ge=NONE, le=2**63 - 1)]
_Text = Annotated[str, Meta(max_length=MAX_TEXT)]
_Stack = Annotated[str, Meta(max_length=MAX_STACK)]


@dataclass(frozen=True, slots=True)
class Past:
    """Earlier deployment that was in force."""

    order: _Number
    stack: _Stack | None
    #: True if a worker has served it.
    served: bool
    #: True if it was rolled back, or a rollback returned to it.
    undone: bool = False


#: State before the first deployment.
_OWN = Past(NONE, None, served=True)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Deployment: the stack to serve, as untrusted text. ``None``: the stack of the settings."""

    offset: int
    stack: _Stack | None
    #: Earlier deployments, the latest first.
    history: tuple[Past, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Report of a worker on a deployment."""

    #: Address of the worker.
    worker: _Text
    #: Offset of the deployment, or ``NONE``.
    order: _Number
    #: Stack in service: name and version, as in the ``stack`` header.
    stack: _Text
    #: Why the worker could not apply the deployment, in one sentence.
    problem: _Text | None = None
    #: Stack that the worker is loading, or is about to load.
    loading: _Text | None = None
    #: Number of attempts to load it, counting processes that ended before they could report more.
    tries: _Number = 0

    @property
    def done(self) -> bool:
        """True once the worker has applied or refused the deployment."""
        return self.loading is None


@dataclass(frozen=True, slots=True)
class RolloutState:
    """Content of the topic."""

    #: Deployment in force; ``None`` if there was never one.
    deployment: Deployment | None = None
    #: Last report of each worker, by its address.
    reports: Mapping[str, Report] = field(default_factory=dict)
    #: Deployments before ``deployment``, the latest first.
    history: tuple[Past, ...] = ()
    #: True if a worker has served the deployment in force.
    served: bool = True

    def next_history(self) -> tuple[Past, ...]:
        """Return the history for a deployment that is made now."""
        now = self.deployment
        return (_OWN,) if now is None else (Past(now.offset, now.stack, self.served), *self.history)

    def rollback(self) -> tuple[str | None, tuple[Past, ...]] | None:
        """Return the last other stack that served, and the history for a rollback to that stack.

        Return ``None`` if there is nothing to roll back to.
        """
        if self.deployment is None:
            return None
        for place, past in enumerate(self.history):
            if past.served and not past.undone and past.stack != self.deployment.stack:
                done, left = self.next_history()[: place + 2], self.history[place + 1 :]
                return past.stack, (*(replace(each, undone=True) for each in done), *left)
        return None

    def fallbacks(self) -> Iterable[str | None]:
        """Return the stacks to try if the deployment fails: those served before, latest first."""
        return dict.fromkeys(past.stack for past in self.history if past.served)


async def deploy(
    cluster: ClusterConfig, stack: str | None, history: Iterable[Past], voter: str | None = None
) -> Deployment:
    """Deploy ``stack`` to every worker, or to every voter of a name. Raises ``BrokerError``."""
    kept = tuple(history)[:HISTORY]
    offset = await _write(
        cluster, cluster.names.stacks_of(voter), _USE, {"stack": stack, "history": kept}
    )
    return Deployment(offset, stack, kept)


async def report(cluster: ClusterConfig, content: Report, voter: str | None = None) -> None:
    """Write a worker's report on a deployment. Raises ``BrokerError``."""
    body = asdict(content)
    worker = body.pop("worker")
    if content.problem is not None:
        body["problem"] = content.problem[:MAX_TEXT]
    await _write(cluster, cluster.names.stacks_of(voter), worker.encode(), body)


async def forget(cluster: ClusterConfig, workers: Iterable[str], voter: str | None = None) -> None:
    """Delete the reports of these workers. Raises ``BrokerError``."""
    for worker in workers:
        await _write(cluster, cluster.names.stacks_of(voter), worker.encode(), None)


async def _write(cluster: ClusterConfig, topic: str, key: bytes, body: Any) -> int:
    await create_compacted(cluster, topic)
    value = None if body is None else orjson.dumps(body)
    async with producer(cluster) as sender:
        record = await sender.send_and_wait(topic, value, key=key, partition=0)
    return int(record.offset)


async def rollout_state(cluster: ClusterConfig, voter: str | None = None) -> RolloutState:
    """Return the current content of the topic. Raises ``BrokerError``."""
    topic = cluster.names.stacks_of(voter)
    partitions = (await topic_partitions(cluster, topic)).get(topic, 0)
    deployments: deque[Deployment] = deque(maxlen=HISTORY + 1)
    reports: dict[str, Report] = {}
    served: dict[int, None] = {}
    async for record in records(cluster, await extent(cluster, topic, min(partitions, 1))):
        content = _parse(record)
        if isinstance(content, Deployment):
            deployments.append(content)
        elif isinstance(content, Report):
            _put(reports, content.worker, content)
            if content.done and content.problem is None:
                _put(served, content.order, None)
        elif record.value is None and record.key is not None:
            reports.pop(record.key.decode(errors="replace"), None)
    if not deployments:
        return RolloutState(reports=reports)
    *before, now = deployments
    return RolloutState(now, reports, _history(now, before, served), now.offset in served)


def _put(latest: dict[K, V], key: K, value: V) -> None:
    """Make ``key`` the latest of at most ``MAX_REPORTS`` keys."""
    latest.pop(key, None)
    latest[key] = value
    if len(latest) > MAX_REPORTS:
        del latest[next(iter(latest))]


def _history(
    now: Deployment, before: list[Deployment], served: Collection[int]
) -> tuple[Past, ...]:
    """Return the history that a deployment records, updated with later facts.

    A worker may have reported after the deployment was made, and another deployment may have been
    made at the same moment.
    """
    known = max((past.order for past in now.history), default=NONE)
    unknown = (
        Past(each.offset, each.stack, each.offset in served)
        for each in reversed(before)
        if each.offset > known
    )
    known_history = (
        replace(past, served=True) if past.order in served else past for past in now.history
    )
    return (*unknown, *known_history)[:HISTORY]


async def follow(
    cluster: ClusterConfig, offset: int, voter: str | None = None
) -> AsyncGenerator[Deployment | Report, None]:
    """Yield deployments and reports from ``offset`` on, as they arrive. Raises ``BrokerError``."""
    place = TopicPartition(cluster.names.stacks_of(voter), 0)
    await create_compacted(cluster, place.topic)
    async with consumer(
        cluster,
        # If the topic was created again, all its records are read.
        auto_offset_reset="earliest",
        fetch_max_wait_ms=WAIT_MS,
    ) as reader:
        reader.assign([place])
        reader.seek(place, offset)
        async for record in reader:
            if (content := _parse(record)) is not None:
                yield content


def _parse(record: ConsumerRecord) -> Deployment | Report | None:
    """Return the content of a record; ``None`` if it is invalid or too large."""
    if record.value is None or len(record.value) + len(record.key or b"") > MAX_BYTES:
        return None
    try:
        body = convert(orjson.loads(record.value), dict[str, Any])
        if record.key == _USE:
            made = convert({**body, "offset": record.offset}, Deployment)
            return replace(made, history=made.history[:HISTORY])
        return convert({**body, "worker": (record.key or b"").decode()}, Report)
    except ValueError as error:
        place = f"{record.topic}/{record.partition}/{record.offset}"
        logger.debug("The record %s is no deployment and no report: %s.", place, error)
        return None
