"""Service that runs the jury in a worker."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from mode import Service

from catdog_stream import deadlines, metrics
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.publishing import KafkaPublisher
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.request_reader import RequestReader
from catdog_stream.messages.votes import DeadlineMarker
from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.pipeline.ordered_publisher import Job, OrderedPublisher
from catdog_stream.pipeline.voting.vote_aggregator import VoteAggregator
from catdog_stream.topics import REQUESTS, VOTES
from catdog_stream.worker.inference import rejection_limit

if TYPE_CHECKING:
    from catdog_stream.delivery.consumer import Consumer
    from catdog_stream.worker.application import CatDogApp

__all__ = ["Aggregation"]

logger = logging.getLogger(__name__)

#: Maximum number of decisions published and not yet confirmed.
IN_FLIGHT = 256


class Aggregation(Service):
    """Service that owns the jury and its clients for requests."""

    def __init__(self, app: "CatDogApp", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
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
        settings = self.app.settings
        requests = await self._connected()
        if requests is None:
            return
        self._answering = OrderedPublisher(
            KafkaPublisher(
                self.app,
                settings.cluster,
                partitions=lambda topic: self.app.cluster_readiness.partitions[topic],
                max_bytes=settings.max_answer_bytes,
            ),
            owns=self._owns,
            limit=rejection_limit(settings),
            on_failure=self.app.give_up,
            max_in_flight=IN_FLIGHT,
            observers=self.app.observers,
        )
        jury = self._jury = VoteAggregator(
            settings.voters,
            rule=settings.vote_rule,
            deadline=settings.vote_deadline,
            topic=REQUESTS,
            answering=self._answering,
            requests=_Requests(requests),
            close=self._close,
            first=self._first,
            on_failure=self.app.give_up,
        )
        metrics.IN_FLIGHT.set_function(lambda: self.in_flight)
        metrics.UNDECIDED.set_function(lambda: jury.pending)

    async def _connected(self) -> RequestReader | None:
        reader = RequestReader(self.app.settings.cluster, committed=True)
        while not self.should_stop:
            try:
                return cast(RequestReader, await self.add_async_context(reader))
            except BrokerError as error:
                logger.warning("Requests cannot be looked up: %s Trying again.", error)
                await asyncio.sleep(deadlines.TRY_AGAIN)
        return None

    async def _close(self, closing: DeadlineMarker) -> None:
        sent = await self.app.producer.send(
            *(VOTES, None, closing.dump(), closing.partition), timestamp=None, headers=None
        )
        await sent

    def _first(self, partition: int) -> int | None:
        counts = cast(CommittedTable, self.app.tables["label_counts"])
        shard = counts.get(partition)
        return None if shard is None else shard["offset"]

    async def _owns(self) -> bool:
        return await cast("Consumer", self.app.consumer).is_member()

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
