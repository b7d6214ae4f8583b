"""The Faust application class of a worker: its services and their start order."""

from collections.abc import Callable, Iterable, Mapping
from typing import cast

from aiokafka.structs import ConsumerRecord
from faust.app.base import BootStrategy as FaustBootStrategy
from faust.tables.manager import TableManager
from faust.types import ConsumerT, ServiceT
from faust.types.web import Web

from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.consumer import Consumer
from catdog_stream.delivery.fetch_budget import FetchBudget
from catdog_stream.delivery.group_lag import GroupLag
from catdog_stream.delivery.suspects import Suspects
from catdog_stream.errors import AgentError, CatDogError
from catdog_stream.kafka.config import CLIENT_ID
from catdog_stream.kafka.topics import Topics
from catdog_stream.pipeline.observing import Observers
from catdog_stream.settings import Settings
from catdog_stream.worker.aggregation import Aggregation
from catdog_stream.worker.cluster_readiness import ClusterReadiness
from catdog_stream.worker.health import Watchdog
from catdog_stream.worker.inference import Inference
from catdog_stream.worker.roles import Role
from catdog_stream.worker.rollout import Rollout
from catdog_stream.worker.stream_app import StreamApp
from catdog_stream.worker.tracing import Tracing

__all__ = ["CatDogApp"]


def _may_be_of_a_request(failure: BaseException | None) -> bool:
    """Return true if one request, and not the environment, may be why the worker ends."""
    if failure is None:
        return False
    return isinstance(failure, AgentError) or not isinstance(failure, CatDogError)


class BootStrategy(FaustBootStrategy):
    """Faust's start order with the web server first, which reports what the rest waits for."""

    app: "CatDogApp"

    def server(self) -> Iterable[ServiceT]:
        """Return the services of a worker; they stop in the reverse order."""
        return self._chain(
            self.sensors(),
            self.web_server(),
            self.app.work_services(),
            self.kafka_producer(),
            self.kafka_consumer(),
            self.agents(),
            self.kafka_conductor(),
            self.tables(),
            [self.app.watchdog],
        )


class CatDogApp(StreamApp):
    """Stream app with a picture model.

    ``catdog_stream.app.build_app`` creates it, and then its services and tables.

    Args:
        settings: the settings of the worker.
        role: its role.
        web: creates the web server of a worker.
    """

    BootStrategy = BootStrategy

    record_topics: Topics
    #: Topic to a predicate that is true for records that its agent does not need.
    passes_over: Mapping[str, Callable[[ConsumerRecord], bool]]
    #: Lag of the whole group in the topic whose records it answers.
    lag: GroupLag
    #: Budget of requests in memory. A jury has its own budget, and does not limit its reading.
    fetched: FetchBudget
    #: Observers of the answers of this worker, and of labels of other programs.
    observers: Observers
    tracing: Tracing
    cluster_readiness: ClusterReadiness
    inference: Inference
    rollout: Rollout
    aggregation: Aggregation
    watchdog: Watchdog

    def __init__(
        self, settings: Settings, role: Role, *, web: Callable[["CatDogApp"], Web]
    ) -> None:
        super().__init__(
            role.group,
            settings,
            autodiscover=False,  # build_app registers all
            Table=CommittedTable,
            broker_client_id=CLIENT_ID,
            # Each poll switches to the consumer's thread, which takes longer than a small request:
            # with 32 records, a worker answered a fifth fewer. The budget limits their bytes.
            broker_max_poll_records=256,
        )
        self.role = role
        self._create_web = web

    @property
    def address(self) -> str:
        """Address by which the other workers know this worker: ``http://host:port``."""
        return str(self.conf.canonical_url).rstrip("/")

    @property
    def work(self) -> Inference | Aggregation:
        """Service that answers requests: the model, or the jury, which has no model."""
        return self.aggregation if self.role.is_jury else self.inference

    def work_services(self) -> Iterable[ServiceT]:
        """Return the services that must have started before any record is read."""
        if self.role.is_jury:
            return (self.tracing, self.cluster_readiness, self.aggregation)
        # Damaged weights are reported even without a broker.
        return (self.tracing, self.inference, self.cluster_readiness, self.rollout)

    @property
    def is_settled(self) -> bool:
        """``True`` if partitions are assigned and tables recovered, and neither is in progress."""
        recovery = cast(TableManager, self.tables).recovery
        return not self.rebalancing and recovery.completed.is_set()

    def _new_consumer(self) -> ConsumerT:
        consumer = cast(Consumer, super()._new_consumer())
        consumer.on_drain_timeout = self.work.abandon
        if self.role.is_jury:  # requests that wait for votes are released immediately
            consumer.in_work = lambda: self.aggregation.in_flight
        else:
            consumer.limit(self.fetched)
            consumer.suspects = Suspects({self.role.reads})
            consumer.in_good_order = lambda: not _may_be_of_a_request(self.failure)
        consumer.poll_less_often(
            [self.settings.cluster.names.labels]
        )  # nearly all of which this application wrote
        consumer.passes_over |= self.passes_over
        consumer.watch_lag(self.lag)
        return cast(ConsumerT, consumer)

    def _new_web(self) -> Web:
        return self._create_web(self)
