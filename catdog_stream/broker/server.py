"""Apache Kafka as a child process: format, start, wait until it answers, stop."""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO, Self

from catdog_stream.broker import child, java
from catdog_stream.broker.jars import kafka_jars
from catdog_stream.broker.properties import HOST, as_text, server_properties
from catdog_stream.broker.readiness import is_ready
from catdog_stream.errors import BrokerError

__all__ = ["HOST", "LocalKafka"]

#: A start takes 2 s, and after a crash on a busy machine up to 20 s.
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
#: For a server to end whose parent has just been killed.
_LOCK_SECONDS = 3.0
_POLL_SECONDS = 0.02
_CONTROLLER_TRIES = 3
#: Free space for a start: each partition of Kafka's own topics takes files of several MB.
_LEAST_BYTES = 128 * 2**20
_DISK_FULL = "No space left on device"
_CLUSTER_ID = "Y2F0ZG9nLXN0cmVhbS0wMA"  # any 16 bytes in base64
#: Message of an exception in a Java program's output.
_CAUSE = re.compile(r"^(?:Caused by: |Exception in .* )?[\w.$]+(?:Exception|Error): (.+)$")


class LocalKafka:
    """Kafka server on the loopback interface; not for production, see the package.

    Its records are in ``data_dir``, which is created, serves one server at a time and keeps the
    records for the next start; its output is in ``kafka.log`` there. The server ends with the
    process that started it, on Linux even if that process is killed.

    Use it as a context manager, or call `start` and `stop`. It can be started again, even after
    `kill`.

    Args:
        port: port that it listens on.
        data_dir: folder for its data.
        extra: settings of Kafka that extend or replace those of ``properties``.
        format_arguments: further arguments of Kafka's storage tool.
        controller_port: port of its controller; any free port by default.
    """

    def __init__(
        self,
        port: int,
        data_dir: Path,
        *,
        extra: Mapping[str, str] = MappingProxyType({}),
        format_arguments: Sequence[str] = (),
        controller_port: int | None = None,
    ) -> None:
        self.port = port
        self.data_dir = data_dir.resolve()
        self._extra = extra
        self._format_arguments = format_arguments
        self._controller_port = controller_port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Address in the form of Kafka clients, ``host:port``."""
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """File with the server's output since its last start."""
        return self.data_dir / "kafka.log"

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._started().pid

    def start(self) -> Self:
        """Start the server and return once it answers; download Kafka first if it is missing.

        Call this from the main thread, because Linux ends the server with the *thread* that
        started it.

        Raises:
            BrokerError: the port or the data folder is in use, Kafka or Java is missing, the
                server ended early or does not answer.
        """
        for tries_left in reversed(range(_CONTROLLER_TRIES)):
            self.launch()
            try:
                self.wait_until_ready()
            except _ControllerPortTakenError:
                if not tries_left:
                    raise
            else:
                return self
        raise AssertionError("unreachable")

    def launch(self) -> None:
        """Start the server without waiting: in a cluster, a server answers only with the others.

        Raises the same errors as `start`.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("The local Kafka can only be started from the main thread.")
        jars = kafka_jars()
        self._require_free_port()
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            # The server inherits the lock, so it is held until the server ends.
            with (self.data_dir / "lock").open("ab") as lock:
                self._lock(lock)
                self._require_space()
                self._configure(jars)
                self._process = self._spawn(
                    java.command(jars, "kafka.Kafka", str(self._properties)), lock
                )
        except OSError as error:
            raise BrokerError(
                f"The local Kafka cannot use {self.data_dir}: {error.strerror}."
            ) from error

    def wait_until_ready(self) -> None:
        """Return once the launched server answers. Raise ``BrokerError`` if it does not."""
        deadline = time.monotonic() + _START_SECONDS
        try:
            while not is_ready(HOST, self.port):
                self._require_hope(deadline)
                time.sleep(_POLL_SECONDS)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Stop the server gracefully; kill it after 20 s. Does nothing if it is stopped."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Crash the server with ``kill -9``. Does nothing if it is stopped."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Freeze the process: its port stays open, but it does not answer."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen process continue."""
        os.kill(self.pid, signal.SIGCONT)

    def poll(self) -> int | None:
        """Return the server's exit status, or ``None`` while it runs."""
        return self._started().poll()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the server's end; return its status, or ``None`` after ``timeout`` seconds."""
        try:
            return self._started().wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("The local Kafka was not started.")
        return self._process

    @property
    def _properties(self) -> Path:
        return self.data_dir / "server.properties"

    def _require_free_port(self) -> None:
        # Checked first, because the readiness check would accept another broker on the port.
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self.port))
            except OverflowError:
                raise BrokerError(
                    f"{self.port} is not a port: choose one from 1 to 65535 with --port."
                ) from None
            except OSError as error:
                raise BrokerError(
                    f"Port {self.port} cannot be used ({error.strerror}): choose another one with "
                    "--port."
                ) from error

    def _require_space(self) -> None:
        free = shutil.disk_usage(self.data_dir).free
        if free < _LEAST_BYTES:
            raise BrokerError(
                f"{self.data_dir} has {free / 2**20:.0f} MB of free space, and the local Kafka "
                f"needs at least {_LEAST_BYTES / 2**20:.0f} MB: free some space, or choose another "
                "folder with --data-dir."
            )

    def _lock(self, lock: IO[bytes]) -> None:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise BrokerError(
                        f"The folder {self.data_dir} is used by another server: choose another "
                        "one with --data-dir."
                    ) from None
                time.sleep(_POLL_SECONDS)
            else:
                return

    def _configure(self, jars: Path) -> None:
        """Write the settings and, the first time, format the storage."""
        data = self.data_dir / "data"
        controller_port = self._controller_port or _free_port()
        settings = server_properties(data, self.port, controller_port) | dict(self._extra)
        if not data.exists():
            # In another folder, renamed when complete: a killed start leaves no partial storage.
            formatted = self.data_dir / "formatting"
            shutil.rmtree(formatted, ignore_errors=True)
            self._properties.write_text(as_text(settings | {"log.dirs": str(formatted)}), "ascii")
            self._format(jars)
            formatted.rename(data)
        self._properties.write_text(as_text(settings), "ascii")

    def _format(self, jars: Path) -> None:
        arguments = ["format", "--config", str(self._properties), "--cluster-id", _CLUSTER_ID]
        program = java.command(jars, "kafka.tools.StorageTool", *arguments)
        with self._spawn([*program, *self._format_arguments]) as process:
            try:
                status = process.wait()
            except BaseException:
                process.kill()
                raise
        if status != 0:
            raise BrokerError(f"The storage of the local Kafka cannot be made: {self._reason()}.")

    def _spawn(
        self, program: Sequence[str], lock: IO[bytes] | None = None
    ) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-IS", child.__file__, str(os.getpid()), *program],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data_dir,
                pass_fds=[lock.fileno()] if lock else [],
                # Ctrl-C in a terminal reaches every process of the group: only the parent must
                # receive it, and stop the server after the workers.
                start_new_session=True,
            )

    def _require_hope(self, deadline: float) -> None:
        status = self._started().poll()
        if status is not None:
            raise self._why_it_ended(status)
        if time.monotonic() > deadline:
            raise BrokerError(
                f"The local Kafka did not answer in {_START_SECONDS:g} s; see {self.log}."
            )

    def ended(self, status: int) -> BrokerError:
        """Return the error for a server that has ended with ``status`` after its start."""
        full = _DISK_FULL in self._output()
        why = f"the disk of {self.data_dir} is full" if full else f"status {status}"
        return BrokerError(f"The local Kafka ended: {why}; see {self.log}.")

    def _why_it_ended(self, status: int) -> BrokerError:
        taken = re.search(r"ocket server failed to bind to \S+:(\d+)", self._output())
        if taken and int(taken[1]) != self.port and self._controller_port is None:
            return _ControllerPortTakenError(f"Port {taken[1]} cannot be used by the controller.")
        return BrokerError(
            f"The local Kafka ended while starting: {self._reason() or f'status {status}'}; "
            f"see {self.log}."
        )

    def _output(self) -> str:
        return self.log.read_text(errors="replace")

    def _reason(self) -> str:
        """Return the cause of the failure from the output; empty if there is none."""
        lines = [line.strip() for line in self._output().splitlines() if line.strip()]
        causes = [found[1] for line in lines if (found := _CAUSE.search(line))]
        return (causes or lines or [""])[-1].rstrip(".")


class _ControllerPortTakenError(BrokerError):
    """Controller port that another program took after it was found free."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
