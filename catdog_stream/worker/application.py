"""The Faust application class: what a worker consists of and in which order it starts."""

import logging
import os
import signal
import tempfile
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import faust
import mode.loop
from faust.app.base import BootStrategy as FaustBootStrategy
from faust.tables.manager import TableManager
from faust.types import AgentT, ConsumerT, Message, ServiceT
from faust.types.web import Web

from catdog_stream import deadlines
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.consumer import Consumer
from catdog_stream.errors import AgentError, SettingError
from catdog_stream.kafka.cluster import ClusterGate
from catdog_stream.patches import (
    group_coordinator,
    header_names,
    request_deadlines,
    secret_log,
    topic_creation,
    tracked_topics,
)
from catdog_stream.patches.sensors import Sensors
from catdog_stream.patches.table_manager import PromptTableManager
from catdog_stream.settings import Settings
from catdog_stream.topics import LABELS
from catdog_stream.worker.classifying import Classifying
from catdog_stream.worker.health import Watchdog
from catdog_stream.worker.process import Worker

__all__ = ["CatDogApp"]

logger = logging.getLogger(__name__)

#: What registers itself with the app when it is imported.
MODULES = (
    "catdog_stream.agents.classify",
    "catdog_stream.agents.correct",
    "catdog_stream.agents.count",
    "catdog_stream.web.views",
    "catdog_stream.commands",
)


class BootStrategy(FaustBootStrategy):
    """Faust's order of start, with the web server first: it tells what the rest waits for."""

    app: "CatDogApp"

    def server(self) -> Iterable[ServiceT]:
        """Return the services of a worker; they stop in the opposite order."""
        return self._chain(
            self.sensors(),
            self.web_server(),
            [self.app.classifying, self.app.gate],  # damaged weights are told without a broker
            self.kafka_producer(),
            self.kafka_consumer(),
            self.agents(),
            self.kafka_conductor(),
            self.tables(),
            [self.app.watchdog],
        )


class CatDogApp(faust.App):
    """A Faust app with a picture model in it.

    Args:
        settings: the values in force.
        web: makes the web server of a worker; Faust's own where there is none.
    """

    BootStrategy = BootStrategy

    def __init__(
        self, settings: Settings, *, web: Callable[["CatDogApp"], Web] | None = None
    ) -> None:
        #: Topic to what tells whether its agent has no use for a record of it.
        self.passes_over: dict[str, Callable[[Message], bool]] = {}
        group_coordinator.install()
        header_names.install()
        request_deadlines.install()
        secret_log.install()
        topic_creation.install()
        tracked_topics.install()
        super().__init__(
            "catdog_stream",
            broker=settings.broker,
            broker_credentials=settings.security.credentials(),
            autodiscover=MODULES,
            Table=CommittedTable,
            TableManager=PromptTableManager,
            Worker=Worker,
            broker_client_id="catdog-stream",
            broker_commit_interval=1.0,
            **deadlines.worker_settings(),
            # Payloads in memory: what one poll returns, and what waits for the agent.
            broker_max_poll_records=32,
            stream_buffer_maxsize=16,
            consumer_max_fetch_size=settings.max_answer_bytes,
            consumer_auto_offset_reset="earliest",
            producer_acks=-1,
            producer_max_request_size=2 * settings.max_answer_bytes,
            topic_partitions=settings.partitions,
            topic_replication_factor=settings.replicas,
            table_standby_replicas=0,
            datadir=Path(tempfile.gettempdir()) / f"catdog_stream-{os.getuid()}",
            web_bind="127.0.0.1",
            web_host=os.environ.get("WEB_HOST", "127.0.0.1"),
            worker_redirect_stdouts=False,
        )
        self.sensors = Sensors(self)
        self.settings = settings
        self._web_of = web
        #: Why the worker stops on its own; ``None`` while it does not.
        self.failure: BaseException | None = None
        self.transport.Consumer = Consumer  # type: ignore[misc]
        self.gate = ClusterGate(self, beacon=self.beacon)
        self.classifying = Classifying(self, beacon=self.beacon)
        self.watchdog = Watchdog(self, beacon=self.beacon)

    def worker_init(self) -> None:
        """Choose the event loop, before there is one.

        uvloop takes a sixth less CPU time for a request; ``--loop`` and ``FAUST_LOOP`` can have
        another.
        """
        super().worker_init()
        if not os.environ.get("FAUST_LOOP"):
            mode.loop.use("uvloop")

    @property
    def settled(self) -> bool:
        """Whether partitions have been assigned and tables recovered, and neither is going on."""
        recovery = cast(TableManager, self.tables).recovery
        return not self.rebalancing and recovery.completed.is_set()

    def _create_directories(self) -> None:
        try:
            super()._create_directories()
        except OSError as error:
            raise SettingError(
                f"APP_DATADIR={str(self.conf.datadir)!r} cannot be used: {error.strerror}."
            ) from error

    def give_up(self, reason: BaseException) -> None:
        """Stop the worker in good order, as a signal would, with ``reason`` and its exit code.

        Faust's ``crash`` would leave without committing what has been answered, and without
        telling the group.
        """
        if self.failure is None:
            self.failure = reason
            logger.critical("The worker stops: %s", reason)
            os.kill(os.getpid(), signal.SIGTERM)

    async def _on_agent_error(self, agent: AgentT[Any], exc: BaseException) -> None:
        """End the worker. Faust would acknowledge what the agent failed on, and carry on."""
        logger.critical("The agent %s failed.", agent.name, exc_info=exc)
        self.give_up(AgentError(f"The agent {agent.name} failed: {exc!r}."))

    def _new_consumer(self) -> ConsumerT:
        consumer = cast(Consumer, super()._new_consumer())
        consumer.on_drain_timeout = self.classifying.abandon
        consumer.on_unreadable = self.give_up
        consumer.be_patient_with([LABELS])  # which are ours, nearly all of them
        consumer.passes_over |= self.passes_over
        return cast(ConsumerT, consumer)

    def discover(self, *extra_modules: str, **_options: Any) -> None:
        """Import ``MODULES``.

        Faust's own scan imports every module of the package, TensorFlow's engine too, and turns
        the error of one that cannot be imported into a warning.
        """
        for module in (*MODULES, *extra_modules):
            import_module(module)

    def _new_web(self) -> Web:
        return self._web_of(self) if self._web_of is not None else super()._new_web()
