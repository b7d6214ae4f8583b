"""The Faust application class: the services of a worker and their start order."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, cast

from faust.app.base import BootStrategy as FaustBootStrategy
from faust.tables.manager import TableManager
from faust.types import ConsumerT, Message, ServiceT
from faust.types.web import Web

from catdog_stream import metrics
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.consumer import Consumer
from catdog_stream.delivery.fetch_budget import FetchBudget
from catdog_stream.delivery.group_lag import GroupLag
from catdog_stream.delivery.suspects import Suspects
from catdog_stream.errors import AgentError, CatDogError
from catdog_stream.kafka.config import CLIENT_ID
from catdog_stream.memory import MemoryPlan
from catdog_stream.pipeline.answer_metrics import AnswerMetrics, VoteMetrics
from catdog_stream.pipeline.observing import Observers
from catdog_stream.settings import Settings
from catdog_stream.topics import LABELS
from catdog_stream.worker.aggregation import Aggregation
from catdog_stream.worker.cluster_readiness import ClusterReadiness
from catdog_stream.worker.health import Watchdog
from catdog_stream.worker.inference import Inference
from catdog_stream.worker.roles import role_of
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

    Args:
        settings: the settings of the worker.
        web: creates the web server of a worker; without it, Faust's own is used.
    """

    BootStrategy = BootStrategy

    def __init__(
        self, settings: Settings, *, web: Callable[["CatDogApp"], Web] | None = None
    ) -> None:
        #: Topic to a predicate that is true for records that its agent does not need.
        self.passes_over: dict[str, Callable[[Message], bool]] = {}
        self.role = role_of(settings)
        super().__init__(
            self.role.group,
            settings,
            autodiscover=self.role.modules,
            Table=CommittedTable,
            broker_client_id=CLIENT_ID,
        )
        #: Lag of the whole group in the topic whose records it answers.
        self.lag = GroupLag(self.role.reads)
        metrics.LAG.set_function(self.lag.now)
        plan = MemoryPlan.of(settings)
        #: Budget of requests in memory. A jury has its own budget, and does not limit its reading.
        self.fetched = FetchBudget({self.role.reads}, fetch=plan.fetch, most=plan.records)
        self._web_of = web
        #: Observers of the answers of this worker, and of labels of other programs.
        self.observers = Observers()
        self.observers.add(AnswerMetrics() if self.role.voter is None else VoteMetrics())
        self.tracing = Tracing(self, beacon=self.beacon)
        self.cluster_readiness = ClusterReadiness(self, beacon=self.beacon)
        self.inference = Inference(self, beacon=self.beacon)
        self.rollout = Rollout(self, beacon=self.beacon)
        self.aggregation = Aggregation(self, beacon=self.beacon)
        self.watchdog = Watchdog(self, beacon=self.beacon)

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
    def settled(self) -> bool:
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
        consumer.poll_less_often([LABELS])  # nearly all of which this application wrote
        consumer.passes_over |= self.passes_over
        consumer.watch_lag(self.lag)
        return cast(ConsumerT, consumer)

    def discover(self, *extra_modules: str, **_options: Any) -> None:
        """Import the modules of the role.

        Faust's own scan imports every module of the package, including TensorFlow's engine, and
        turns an import error into a warning.
        """
        for module in (*self.role.modules, *extra_modules):
            import_module(module)

    def _new_web(self) -> Web:
        return self._web_of(self) if self._web_of is not None else super()._new_web()
