"""Faust app that runs unattended: it corrects Faust's errors and sets safe defaults.

`CatDogApp` is a stream app, and so are the apps of further agents (``catdog_stream.pipelines``).
"""

import logging
import os
import signal
import tempfile
from pathlib import Path
from typing import Any, cast

import faust
import faust.cli.worker
import mode.loop
from faust.exceptions import ImproperlyConfigured
from faust.types import AgentT, ConsumerT, ProducerT
from faust.types.enums import ProcessingGuarantee
from faust.types.settings import Settings as FaustSettings

from catdog_stream import deadlines, patches
from catdog_stream.delivery.agent import Agent
from catdog_stream.delivery.consumer import Consumer
from catdog_stream.delivery.first_connection import Producer
from catdog_stream.delivery.sends import Topic, UnconfirmedSends
from catdog_stream.delivery.stream import Stream
from catdog_stream.errors import AgentError, SettingError
from catdog_stream.patches.sensors import Sensors
from catdog_stream.patches.table_manager import PromptTableManager
from catdog_stream.settings import Settings
from catdog_stream.worker.process import Worker

__all__ = ["StreamApp"]

logger = logging.getLogger(__name__)


class StreamApp(faust.App):
    """Faust app on the cluster that the settings name.

    Reads from the earliest offset, only committed records, and records as large as this
    application's answers. A restart skips no record. Each request to Kafka has a time limit. When
    one of its agents ends, the app ends with a sentence and an exit code.

    Args:
        name: the app's id, which is also its consumer group.
        settings: the settings of this package.
        options: Faust's settings, which override the defaults here.
    """

    def __init__(self, name: str, settings: Settings, **options: Any) -> None:
        defaults: dict[str, Any] = {
            "broker": settings.broker,
            "broker_credentials": settings.security.credentials(),
            "Agent": Agent,
            "Stream": Stream,
            "Topic": Topic,
            "TableManager": PromptTableManager,
            "Worker": Worker,
            "broker_client_id": name,
            "broker_commit_interval": 1.0,
            **deadlines.worker_settings(),
            # Payloads in memory: the result of one poll, and the records that wait for the agent.
            "broker_max_poll_records": 32,
            "stream_buffer_maxsize": 16,
            "consumer_max_fetch_size": settings.max_answer_bytes,
            "consumer_auto_offset_reset": "earliest",
            "producer_acks": -1,
            "producer_max_request_size": 2 * settings.max_answer_bytes,
            "topic_allow_declare": settings.create_topics,
            "topic_partitions": settings.partitions,
            "topic_replication_factor": settings.replicas,
            "table_standby_replicas": 0,
            "datadir": _temporary() / f"{name}-{os.getuid()}",
            "web_bind": "127.0.0.1",
            "web_host": os.environ.get("WEB_HOST", "127.0.0.1"),
            "worker_redirect_stdouts": False,
        }
        #: Records that agents have sent and Kafka has not confirmed.
        self.sends = UnconfirmedSends()
        super().__init__(name, **{**defaults, **options})
        self.sensors = Sensors(self)
        self.settings = settings
        #: Why the worker stops on its own; ``None`` while it runs.
        self.failure: BaseException | None = None
        self.transport.Consumer = Consumer  # type: ignore[misc]
        self.transport.Producer = Producer  # type: ignore[misc]

    def _load_settings(self, *, silent: bool = False) -> FaustSettings:
        """Load Faust's settings. Raise ``SettingError`` for those that break the guarantee."""
        try:
            conf = cast(Any, super()._load_settings(silent=silent))
        except (ValueError, ImproperlyConfigured) as error:
            raise SettingError(f"A setting of Faust cannot be used: {error}.") from error
        if conf.processing_guarantee != ProcessingGuarantee.AT_LEAST_ONCE:
            raise SettingError(
                "processing_guarantee='exactly_once' cannot be used: leave it at 'at_least_once', "
                "and recognize a record that comes again by its topic, partition and offset."
            )
        if conf.stream_publish_on_commit:
            raise SettingError(
                "stream_publish_on_commit=True cannot be used: leave it out. Offsets are committed "
                "after Kafka has confirmed what the agents have sent."
            )
        if conf.producer_threaded:
            raise SettingError(
                "producer_threaded=True cannot be used: leave it out. A commit waits for what the "
                "agents have sent, and cannot wait for another thread's producer."
            )
        return cast(FaustSettings, conf)

    def worker_init(self) -> None:
        """Patch the libraries, and choose the event loop before one exists.

        Faust calls this when a command begins, including this application's own commands.

        uvloop takes a sixth less CPU time for a request; ``--loop`` and ``FAUST_LOOP`` choose
        another.
        """
        super().worker_init()
        patches.install()
        if self.settings.log_format == "json":
            # Faust's banner is not JSON, and often goes to the same stream as the log.
            cast(Any, faust.cli.worker.worker).on_worker_created = _say_nothing
        if not os.environ.get("FAUST_LOOP"):
            mode.loop.use("uvloop")

    def _create_directories(self) -> None:
        try:
            super()._create_directories()
        except OSError as error:
            raise SettingError(
                f"APP_DATADIR={str(self.conf.datadir)!r} cannot be used: {error.strerror}."
            ) from error

    def give_up(self, reason: BaseException) -> None:
        """Stop the worker gracefully, as a signal would, with ``reason`` and its exit code.

        Faust's ``crash`` would end without committing answered requests, and without leaving the
        group.
        """
        if self.failure is None:
            self.failure = reason
            logger.critical("The worker stops: %s", reason)
            os.kill(os.getpid(), signal.SIGTERM)

    async def _on_agent_error(self, agent: AgentT[Any], exc: BaseException) -> None:
        """End the worker. Faust would acknowledge the record that failed, and continue."""
        logger.critical("The agent %s failed.", agent.name, exc_info=exc)
        known = isinstance(exc, AgentError)
        self.give_up(exc if known else AgentError(f"The agent {agent.name} failed: {exc!r}."))

    def _new_producer(self) -> ProducerT:
        producer = cast(Producer, super()._new_producer())
        producer.cluster = self.settings.cluster
        return producer

    def _new_consumer(self) -> ConsumerT:
        consumer = cast(Consumer, super()._new_consumer())
        consumer.on_unreadable = consumer.on_unusable = self.give_up
        consumer.sends = self.sends
        consumer.cluster = self.settings.cluster
        return cast(ConsumerT, consumer)


def _temporary() -> Path:
    """Return the folder for temporary files, which need not exist: most commands use none."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return Path("/tmp")


def _say_nothing(*_anything: object) -> None:
    pass
