"""Replay of rejected requests onto the topic of requests, once each.

A ledger remembers the replayed requests: the compacted topic ``catdogimage-replayed``. Its key is
the place of the rejected request; its value names the rejection and the new place. The ledger is
read first. Then each request is sent; once Kafka has confirmed it, its ledger entry is written and
confirmed before the next request. So a request can be replayed twice only if the process dies
between the two confirmations, and then only that request; or if two replays run at the same time.

The ledger's key is the place of the request and not of the rejection: after a crash of a worker the
same request may have been rejected twice.

Requests that are certain to be rejected again (see ``errors.REPLAY_ADVICE``) are replayed only if
the user names their reason: otherwise they would only add a second rejection to the counts.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from enum import Enum, auto

import orjson
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import MessageSizeTooLargeError
from tqdm import tqdm

from catdog_stream.delivery.counting import counting_source, reason_of
from catdog_stream.errors import REPLAY_ADVICE, Reason
from catdog_stream.kafka.bounded_reader import extent, records
from catdog_stream.kafka.client import producer
from catdog_stream.kafka.cluster import create_compacted, create_topics, topic_partitions
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.messages.raw_json import loads
from catdog_stream.messages.requests.request import RequestParser
from catdog_stream.messages.wire import REJECTION_HEADERS, Answer, Source

__all__ = ["Rejected", "Replay", "ReplayOutcome", "Tally", "request_again"]

REPLAY_OF = "replay-of"


class ReplayOutcome(Enum):
    """Outcome of the replay of one rejected request."""

    REPLAYED = auto()
    #: An earlier replay has replayed it.
    KNOWN = auto()
    #: The rejection carries no picture: it was too large, or the request had none.
    NO_PICTURE = auto()
    #: Kafka refuses the size: the topic's limit was lowered since.
    TOO_LARGE = auto()
    #: It would be rejected again, and the user did not name its reason.
    LEFT_OUT = auto()


#: Reasons for which a request is replayed only if the user names them.
_HOPELESS = frozenset(
    reason.value for reason, advice in REPLAY_ADVICE.items() if not advice.can_help
)
#: Beginnings of the reasons of requests that had no picture of their own.
_WITHOUT_PICTURE = (Reason.MISSING_DATA, "reference_")


@dataclass(slots=True)
class Tally:
    """Number of rejected requests by reason and outcome."""

    reasons: dict[str, Counter[ReplayOutcome]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, reason: str, outcome: ReplayOutcome) -> None:
        """Count one request."""
        self.reasons[reason][outcome] += 1

    @property
    def total(self) -> Counter[ReplayOutcome]:
        """Counts over all reasons."""
        return sum(self.reasons.values(), Counter[ReplayOutcome]())

    def summary(self, *, dry_run: bool = False) -> str:
        """Return one sentence about all requests."""
        return ("Would replay " if dry_run else "Replayed ") + _counts_text(self.total)

    def left_out(self) -> str:
        """Return how to replay what was left out; empty if nothing was."""
        reasons = [
            name
            for name, outcomes in sorted(self.reasons.items())
            if outcomes[ReplayOutcome.LEFT_OUT]
        ]
        if not reasons:
            return ""
        number = self.total[ReplayOutcome.LEFT_OUT]
        what = "1 request" if number == 1 else f"{number} requests"
        options = " ".join(f"--reason {reason}" for reason in reasons)
        return (
            f"Left out {what} that would be rejected again. "
            f"Name the reason to replay {'it' if number == 1 else 'them'} all the same: {options}"
        )

    def lines(self) -> list[str]:
        """Return one sentence about each reason."""
        return [
            f"{reason}: {_counts_text(counts)}" for reason, counts in sorted(self.reasons.items())
        ]


def _counts_text(counts: Counter[ReplayOutcome]) -> str:
    replayed = counts[ReplayOutcome.REPLAYED]
    parts = [f"{replayed} request{'' if replayed == 1 else 's'}"]
    for outcome, words in (
        (ReplayOutcome.KNOWN, "had been replayed before"),
        (ReplayOutcome.NO_PICTURE, "had no picture"),
        (ReplayOutcome.TOO_LARGE, "had more bytes than the topic takes"),
        (ReplayOutcome.LEFT_OUT, "would be rejected again"),
    ):
        if counts[outcome]:
            parts.append(f"{counts[outcome]} {words}")
    return "; ".join(parts) + "."


@dataclass(frozen=True, slots=True)
class Rejected:
    """Record of ``catdogimage-rejected``."""

    #: Place of the rejection.
    place: Source
    #: Place of the request; that of the rejection if the request's is unknown.
    request: Source
    record: ConsumerRecord

    @classmethod
    def read(cls, record: ConsumerRecord, requests_topic: str, partitions: int) -> "Rejected":
        """Read a record of a topic with ``partitions`` partitions."""
        place = Source(record.topic, record.partition, record.offset)
        request = counting_source(
            record.headers, place, requests_topic=requests_topic, partitions=partitions
        )
        return cls(place, request, record)

    @property
    def reason(self) -> str:
        """The reason of the rejection."""
        return reason_of(self.record.headers)


def request_again(rejected: Rejected, parser: RequestParser) -> Answer | None:
    """Return the original request and the header ``replay-of``; ``None`` if its picture is gone."""
    record = rejected.record
    if not _may_be_whole(rejected, parser):
        return None
    left_out = REJECTION_HEADERS | {REPLAY_OF}
    headers = [(name, value) for name, value in record.headers if name not in left_out]
    headers.append((REPLAY_OF, str(rejected.place).encode()))
    return Answer(record.key, record.value, headers)


def _may_be_whole(rejected: Rejected, parser: RequestParser) -> bool:
    """Return ``False`` for a rejection that holds no more than a shortened request."""
    value, members = rejected.record.value, parser.picture_members
    body: object = {}
    if value:
        if not members:
            return True  # the format is not JSON, or the user's own
        try:
            body = loads(value)
        except orjson.JSONDecodeError:
            return True  # unknown; the fault that caused the rejection may be repaired
    if not isinstance(body, dict) or any(body.get(name) for name in members):
        return True
    # The null may stand for a picture that was left out. Then the url is no reference.
    had_none = rejected.reason.startswith(_WITHOUT_PICTURE)
    if not had_none and any(body.get(name, "") is None for name in members):
        return False
    return parser.has_reference(value, rejected.record.headers)


@dataclass(slots=True)
class Replay:
    """Replay of rejected requests: one run of the command.

    Args:
        cluster: the cluster.
        parser: parser of the requests.
        reasons: replay requests that were rejected for one of these; if empty, for any reason
            except those that are certain to reject them again.
        since_ms: replay requests of this time or later, in milliseconds since the epoch.
        dry_run: only count.
    """

    cluster: ClusterConfig
    parser: RequestParser
    reasons: Collection[str] = ()
    since_ms: int | None = None
    dry_run: bool = False
    tally: Tally = field(default_factory=Tally)
    _known: set[str] = field(default_factory=set)

    async def run(self, stop: asyncio.Event) -> None:
        """Replay what is rejected by now. Stop if ``stop`` is set, but never within a request.

        Raises:
            BrokerError: no broker answers, it stopped answering, or it refused.
        """
        partitions = await self._topics()
        self._known = await self._ledger(partitions)
        count = partitions.get(self.cluster.names.rejected, 0)
        part = await extent(
            self.cluster, self.cluster.names.rejected, count, since_ms=self.since_ms
        )
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            sender = None if self.dry_run else await enter(producer(self.cluster))
            stream = await enter(aclosing(records(self.cluster, part)))
            bar = stack.enter_context(
                tqdm(total=len(part), unit="rejection", desc="replaying", disable=None)
            )
            async for record in stream:
                rejected = Rejected.read(record, self.cluster.names.requests, count)
                if self._chosen(rejected):
                    outcome = await self._settle(rejected, sender, partitions)
                    self.tally.add(rejected.reason, outcome)
                bar.update()
                if stop.is_set():
                    return

    async def _topics(self) -> Mapping[str, int]:
        """Return every topic's number of partitions; create the topics that are needed first."""
        if self.dry_run:
            return await topic_partitions(
                self.cluster, self.cluster.names.rejected, self.cluster.names.replayed
            )
        partitions = await create_topics(self.cluster)
        await create_compacted(self.cluster, self.cluster.names.replayed)
        return partitions

    async def _ledger(self, partitions: Mapping[str, int]) -> set[str]:
        part = await extent(
            self.cluster,
            self.cluster.names.replayed,
            partitions.get(self.cluster.names.replayed, 0),
        )
        return {
            record.key.decode("utf-8", "replace")
            async for record in records(self.cluster, part)
            if record.key
        }

    def _chosen(self, rejected: Rejected) -> bool:
        if self.since_ms is not None and rejected.record.timestamp < self.since_ms:
            return False
        return not self.reasons or rejected.reason in self.reasons

    async def _settle(
        self, rejected: Rejected, sender: AIOKafkaProducer | None, partitions: Mapping[str, int]
    ) -> ReplayOutcome:
        key = str(rejected.request)
        if key in self._known:
            return ReplayOutcome.KNOWN
        request = request_again(rejected, self.parser)
        if request is None:
            return ReplayOutcome.NO_PICTURE
        if not self.reasons and rejected.reason in _HOPELESS:
            return ReplayOutcome.LEFT_OUT
        if sender is not None:
            partition = rejected.request.partition % partitions[self.cluster.names.requests]
            try:
                record = await sender.send_and_wait(
                    self.cluster.names.requests,
                    request.value,
                    key=request.key,
                    headers=list(request.headers),
                    partition=partition,
                )
            except MessageSizeTooLargeError:
                return ReplayOutcome.TOO_LARGE
            place = Source(record.topic, record.partition, record.offset)
            line = {"rejection": str(rejected.place), "put_back": str(place)}
            await sender.send_and_wait(
                self.cluster.names.replayed, orjson.dumps(line), key=key.encode(), partition=0
            )
        self._known.add(key)
        return ReplayOutcome.REPLAYED
