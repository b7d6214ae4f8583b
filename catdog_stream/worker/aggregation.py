"""Service that runs the jury in a worker."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, cast

from faust.types import ProducerT
from mode import Service

from catdog_stream import deadlines, metrics
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.group_member import GroupMember
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.request_reader import RequestReader
from catdog_stream.messages.votes import DeadlineMarker
from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.pipeline.observing import Observers
from catdog_stream.pipeline.ordered_publisher import Job, OrderedPublisher, Publisher
from catdog_stream.pipeline.voting.vote_aggregator import VoteAggregator
from catdog_stream.settings import Settings
from catdog_stream.worker.inference import rejection_limit

__all__ = ["Aggregation"]

logger = logging.getLogger(__name__)

#: Maximum number of decisions published and not yet confirmed.
IN_FLIGHT = 256


class Aggregation(Service):
    """Service that owns the jury and its clients for requests.

    Args:
        settings: the settings of the worker.
        publisher: writes the answers.
        producer: returns the producer of the app, which writes deadlines among the votes.
        member: this worker in its group, which must be a member to publish.
        counts: the counts of the decisions, by partition of the votes.
        observers: observers of the answers.
        on_failure: called with the reason when the worker must stop.
    """

    #: Problems that only a new process can repair.
    problems: Sequence[str] = ()

    def __init__(
        self,
        settings: Settings,
        *,
        publisher: Publisher,
        producer: Callable[[], ProducerT],
        member: GroupMember,
        counts: CommittedTable,
        observers: Observers,
        on_failure: Callable[[BaseException], None],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._settings = settings
        self._publisher = publisher
        self._producer = producer
        self._member = member
        self._counts = counts
        self._observers = observers
        self._on_failure = on_failure
        self._answering: OrderedPublisher[Job] | None = None
        self._jury: VoteAggregator | None = None

    @property
    def warm(self) -> bool:
        """``True`` if the jury can take votes."""
        return self._jury is not None

    @property
    def jury(self) -> VoteAggregator:
        """The vote aggregator; raises ``RuntimeError`` before the service has started."""
        if self._jury is None:
            raise RuntimeError("The jury has not started yet.")
        return self._jury

    @property
    def classes(self) -> Sequence[str]:
        """Classes of the voters; empty before the first verdict."""
        return self._jury.classes if self._jury is not None else ()

    @property
    def waits(self) -> bool:
        """``True`` if the jury waits for voters or a deadline, which no restart would change."""
        return self._jury is not None and (self._jury.full or bool(self._jury.gaps))

    @property
    def in_flight(self) -> int:
        """Number of decisions that are not confirmed yet."""
        return self._answering.in_flight if self._answering else 0

    @property
    def answered(self) -> int:
        """Number of requests answered since the start."""
        return self._answering.answered if self._answering else 0

    async def on_start(self) -> None:
        """Connect the reader of requests and start the jury."""
        settings = self._settings
        requests = await self._connected()
        if requests is None:
            return
        self._answering = OrderedPublisher(
            self._publisher,
            owns=self._member.is_member,
            limit=rejection_limit(settings),
            on_failure=self._on_failure,
            max_in_flight=IN_FLIGHT,
            observers=self._observers,
        )
        jury = self._jury = VoteAggregator(
            settings.voters,
            rule=settings.vote_rule,
            deadline=settings.vote_deadline,
            topic=settings.cluster.names.requests,
            answering=self._answering,
            requests=_Requests(requests),
            close=self._close,
            first=self._first,
            on_failure=self._on_failure,
        )
        metrics.IN_FLIGHT.set_function(lambda: self.in_flight)
        metrics.UNDECIDED.set_function(lambda: jury.pending)

    async def _connected(self) -> RequestReader | None:
        reader = RequestReader(self._settings.cluster, committed=True)
        while not self.should_stop:
            try:
                return cast(RequestReader, await self.add_async_context(reader))
            except BrokerError as error:
                logger.warning("Requests cannot be looked up: %s Trying again.", error)
                await asyncio.sleep(deadlines.TRY_AGAIN)
        return None

    async def _close(self, closing: DeadlineMarker) -> None:
        sent = await self._producer().send(
            *(self._settings.cluster.names.votes, None, closing.dump(), closing.partition),
            timestamp=None,
            headers=None,
        )
        await sent

    def _first(self, partition: int) -> int | None:
        shard = self._counts.get(partition)
        return None if shard is None else shard["offset"]

    async def on_stop(self) -> None:
        """Release undecided requests; Kafka delivers their votes again."""
        if self._jury is not None:
            await self._jury.stop()

    async def abandon(self) -> None:
        """Drop decisions that were not published in time; Kafka delivers their votes again."""
        if self._jury is not None:
            await self._jury.abandon()


class _Requests:
    """Adapter of the request reader to the interface that the jury needs."""

    def __init__(self, reader: RequestReader) -> None:
        self.exists, self.next_from = reader.exists, reader.next_from
        self._reader = reader

    async def read(self, source: Source) -> Incoming | None:
        record = await self._reader.of(source)
        if record is None:
            return None
        return Incoming(source, record.key, record.value, record.headers, record.timestamp)
