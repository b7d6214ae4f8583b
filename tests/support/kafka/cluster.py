"""Runs one Apache Kafka server as a child process."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from catdog_stream.broker import child, is_ready
from tests.support.kafka.secured import HOST, SecuredListeners
from tests.support.ports import free_ports

_LOGGING = Path(__file__).parent / "log4j2.properties"
_CLUSTER_ID = "Y2F0ZG9nLXN0cmVhbS10ZQ"  # any 16 bytes in base64
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05
_LOG_LINES = 30
# A short-lived server gains more from a quick start than from the last optimisation.
_JAVA_OPTIONS = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class KafkaCluster:
    """One server on the loopback interface, on free ports, with its data under `folder`.

    `start` formats the storage the first time; the ports and the data stay the same over `stop`,
    `kill` and `restart`. On Linux the server dies with the process that started it.

    `secured` adds listeners to the one at `address`, which asks nobody for anything.
    """

    def __init__(
        self, jars: Path, folder: Path, *, secured: SecuredListeners | None = None
    ) -> None:
        self.port, self._controller_port = free_ports(2)
        self._jars = jars
        self._folder = folder
        self._secured = secured
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """``host:port``, as Kafka clients take it."""
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """The file with all that the server printed."""
        return self._folder / "kafka.log"

    def start(self) -> Self:
        """Starts the server and returns once it answers. RuntimeError with its log if it does not.

        Only from the main thread, because Linux ends the server with the *thread* it came from.
        """
        properties = self._folder / "server.properties"
        if not properties.exists():
            if self._secured:
                self._secured.certificates.make()
            properties.write_text(self._properties())
            self._format(properties)
        with self.log.open("ab") as log:
            program = [*self._java(), "kafka.Kafka", str(properties)]
            self._process = subprocess.Popen(
                [sys.executable, "-IS", child.__file__, str(os.getpid()), *program],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """A clean shutdown, as by an operator; harmless when stopped."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """A crash: ``kill -9``."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """Stops it and starts it again at the same address with the same data."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _java(self) -> list[str]:
        java = ["/usr/bin/env", "java", *_JAVA_OPTIONS, f"-Dlog4j2.configurationFile={_LOGGING}"]
        return [*java, "-cp", f"{self._jars}/*"]

    def _format(self, properties: Path) -> None:
        storage_tool = [*self._java(), "kafka.tools.StorageTool", "format"]
        users = self._secured.users if self._secured else []
        done = subprocess.run(
            [*storage_tool, "--config", str(properties), "--cluster-id", _CLUSTER_ID, *users],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"Kafka's storage cannot be formatted:\n{done.stdout}")

    def _properties(self) -> str:
        """The server's settings: Kafka's defaults but for what one small node needs."""
        listeners = [f"PLAINTEXT://{self.address}"]
        protocols = ["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT"]
        if self._secured:
            listeners += self._secured.listeners
            protocols += self._secured.protocols
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{HOST}:{self._controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join([*listeners, f"CONTROLLER://{HOST}:{self._controller_port}"]),
            "advertised.listeners": ",".join(listeners),
            "listener.security.protocol.map": ",".join(protocols),
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(self._folder / "data"),
            # One node cannot hold the three replicas that are the default.
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            # Fewer files, quicker starts.
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.num.partitions": "4",
            # Tests do not wait for more members, and want to see sessions end soon.
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            # After a crash the controller takes the server back only when this has passed.
            "broker.session.timeout.ms": "2000",
            "broker.heartbeat.interval.ms": "500",
            **(self._secured.properties() if self._secured else {}),
        }
        return "".join(f"{key}={value}\n" for key, value in settings.items())

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"Kafka ended with {process.returncode}:\n{self._log_tail()}")
            if is_ready(HOST, self.port):
                return
            time.sleep(_POLL_SECONDS)
        raise RuntimeError(f"Kafka did not answer in {_START_SECONDS:.0f} s:\n{self._log_tail()}")

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
