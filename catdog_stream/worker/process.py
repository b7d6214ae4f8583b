"""The worker process and its end."""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from typing import Any, NoReturn, Protocol, cast

import faust
from aiokafka.errors import KafkaError
from faust.utils.terminal.spinners import Spinner

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError, CatDogError
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import Access, broker_error
from catdog_stream.patches.topic_creation import TopicNotCreatedError
from catdog_stream.settings import Settings
from catdog_stream.worker.allocator import limit_arenas
from catdog_stream.worker.json_log import JsonFormatter
from catdog_stream.worker.log_filter import RepeatFilter, StartFilter

__all__ = ["Worker"]

#: Seconds between two equal messages of a library in the log.
REPEAT_SECONDS = 30.0
#: For a new cluster to create its topics, including the topic of the groups.
START_SECONDS = 20.0


class _App(Protocol):
    """Parts of a stream app that its process uses."""

    settings: Settings
    failure: BaseException | None


class Worker(faust.Worker):
    """Faust's worker, which ends with a sentence and not a traceback if the user can help."""

    def __init__(self, *args: Any, **options: Any) -> None:
        # An agent's output stays unchanged: Faust would log each line as two warnings.
        super().__init__(*args, **{**options, "redirect_stdouts": False})
        limit_arenas()

    def on_setup_root_logger(self, logger: logging.Logger, level: int) -> None:
        """Limit the messages of libraries, and write no terminal codes to a file."""
        if self.spinner is not None and not self.spinner.file.isatty():
            self.spinner = None  # it hides the cursor even in a file
        if self._logs_json:
            self.spinner, self.quiet = None, True
        super().on_setup_root_logger(logger, level)
        for handler in logger.handlers:
            handler.addFilter(StartFilter(START_SECONDS))
            for library in ("aiokafka", "opentelemetry"):
                handler.addFilter(RepeatFilter(library, REPEAT_SECONDS))
            if self._logs_json:
                handler.setFormatter(JsonFormatter())

    @property
    def _logs_json(self) -> bool:
        return cast(_App, self.app).settings.log_format == "json"

    async def on_startup_finished(self) -> None:
        """Exclude objects of the start from garbage collection, which would stop every thread."""
        gc.freeze()
        await super().on_startup_finished()

    def _on_sigterm(self) -> None:
        self._end_within(deadlines.STOP)
        super()._on_sigterm()

    def _on_sigint(self) -> None:
        # Faust's handler prints the stack of every task first.
        self._end_within(deadlines.STOP)
        self._flag_as_shutdown_by_signal()
        self._schedule_shutdown(signal.SIGINT)

    def execute_from_commandline(self) -> NoReturn:
        """Run until stopped; exit with 0, or with another code after a failure."""
        reason: BaseException | None = None
        starting = self._starting_fut = asyncio.ensure_future(self.start(), loop=self.loop)
        try:
            self.loop.run_until_complete(starting)
        except asyncio.CancelledError:
            pass  # stopped by a signal
        except Exception as error:  # noqa: BLE001 - reported below, with the exit code
            reason = error
        self._end_within(deadlines.STOP)
        try:
            starting.cancel()
            self.on_worker_shutdown()
            self.stop_and_shutdown()
        except Exception as error:  # noqa: BLE001 - a service's crash is raised again here
            reason = reason or error
        _exit(self._say_why(reason or cast(_App, self.app).failure))

    async def _sentinel_task(self) -> None:
        """Wait for the tasks that were cancelled last; mode always sleeps one second here."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=deadlines.LAST_TASKS)

    def _say_why(self, reason: BaseException | None) -> int:
        if reason is None:
            return 0
        if isinstance(reason, KafkaError):
            reason = _explained(reason, cast(_App, self.app).settings.cluster)
        if isinstance(reason, CatDogError):
            if self._logs_json:
                self.log.critical("%s", reason.format_message())
            else:
                reason.show()
            return reason.exit_code
        self.log.critical("The worker cannot go on: %r", reason, exc_info=reason)
        return 1

    def _end_within(self, seconds: float) -> None:
        """End the process even if its event loop, a thread or the broker hangs."""

        def end() -> None:
            self.log.critical("Not stopped after %g s: ending now.", seconds)
            _exit(1)

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()


def _explained(error: KafkaError, cluster: ClusterConfig) -> BrokerError:
    """Return the Kafka error that ended the worker, as one sentence."""
    if isinstance(error, TopicNotCreatedError) and error.__cause__ is not None:
        return broker_error(error.__cause__, cluster, Access.topic("Create", error.topic))
    return broker_error(error, cluster)


def _exit(code: int) -> NoReturn:
    """End without joining threads: a thread that hangs in the model would never return."""
    logging.shutdown()
    if sys.stdout.isatty():  # Faust has hidden the cursor, and its code to show it does not run
        sys.stdout.write(Spinner.cursor_show)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
