"""The broker that a benchmark runs on, as ``--broker`` names it."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.options import EMBEDDED, KAFKA
from catdog_stream.broker import EmbeddedBroker
from tests.support.kafka import KafkaCluster, KafkaUnavailableError, fetch
from tests.support.ports import free_ports

__all__ = ["Broker", "Brokers"]


@dataclass(frozen=True)
class Broker:
    """A broker that answers."""

    #: ``host:port``.
    address: str
    #: For the logs and data of what runs against it.
    folder: Path


class Brokers:
    """Lends brokers while its block runs.

    An embedded broker is lent once and empty, since all it keeps costs it CPU time, for as long
    as it keeps it. Kafka is the same all the time.
    """

    def __init__(self, choice: str) -> None:
        self._choice = choice
        self._cluster: Broker | None = None
        self._exit = ExitStack()

    @property
    def name(self) -> str:
        """What it is, for a title."""
        names = {EMBEDDED: "embedded broker", KAFKA: "Apache Kafka"}
        return names.get(self._choice, f"Kafka at {self._choice}")

    @contextmanager
    def lend(self) -> Iterator[Broker]:
        """A broker to measure on."""
        if self._cluster is not None:
            yield self._cluster
            return
        with tempfile.TemporaryDirectory(prefix="catdog-benchmark-") as name:
            folder = Path(name)
            with EmbeddedBroker(free_ports(1)[0], folder / "broker") as broker:
                yield Broker(broker.address, folder)

    def __enter__(self) -> Self:
        # As Ctrl-C does: what was started is stopped.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if self._choice != EMBEDDED:
            with ExitStack() as starting:
                self._cluster = self._kafka(starting)
                self._exit = starting.pop_all()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._exit.close()

    def _kafka(self, starting: ExitStack) -> Broker:
        name = starting.enter_context(tempfile.TemporaryDirectory(prefix="catdog-benchmark-"))
        if self._choice != KAFKA:
            return Broker(self._choice, Path(name))
        try:
            jars = fetch()
        except KafkaUnavailableError as error:
            raise SystemExit(str(error)) from error
        kafka = starting.enter_context(KafkaCluster(jars, Path(name)))
        return Broker(kafka.address, Path(name))
