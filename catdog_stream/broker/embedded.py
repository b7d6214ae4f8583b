"""Starts the embedded broker as a child process, waits until it answers, and stops it."""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from catdog_stream.broker import child, noida
from catdog_stream.broker.janitor import Janitor
from catdog_stream.broker.protocol import is_ready
from catdog_stream.errors import BrokerError

HOST = "127.0.0.1"
_START_SECONDS = 20.0
_STOP_SECONDS = 20.0  # it writes its whole state when it stops
_POLL_SECONDS = 0.01


class EmbeddedBroker:
    """A Kafka-compatible broker on the loopback interface; not for production, see the package.

    What it was sent lies in `data_dir`, which is created, serves one broker at a time and carries
    over to the next start; its output goes to ``broker-PORT.log`` in there. It dies with the
    process that started it, on Linux even if that is killed. While it runs, a janitor takes workers
    that died out of their consumer groups.

    Use it as a context manager, or call `start` and `stop`.
    """

    def __init__(self, port: int, data_dir: Path) -> None:
        self.port = port
        self.data_dir = data_dir.resolve()
        self._process: subprocess.Popen[bytes] | None = None
        self._janitor = Janitor(HOST, port)

    @property
    def address(self) -> str:
        """``host:port``, as Kafka clients take it."""
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """The file with what the server printed since its last start."""
        return self.data_dir / f"broker-{self.port}.log"

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._started().pid

    def start(self) -> Self:
        """Starts the server and returns once it answers requests.

        Only from the main thread, because Linux ends the server with the *thread* it came from.

        Raises `BrokerError` in one sentence: the port or the data directory is in use, the program
        is missing or cannot run here, it ended early, or it does not answer.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("the embedded broker can only be started from the main thread")
        self._require_free_port()
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            program = noida.command(self.port, self.data_dir)
            with self.log.open("wb") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-IS", child.__file__, str(os.getpid()), *program],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # Ctrl-C in a terminal reaches every process of the group: only the parent
                    # shall get it, and stop the broker after the workers.
                    start_new_session=True,
                )
        except OSError as error:
            raise BrokerError(
                f"the embedded broker cannot use {self.data_dir}: {error.strerror}"
            ) from error
        try:
            self._wait_until_ready(self._process)
            self._janitor.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Lets the server save its topics and end; kills it after 20 s. Harmless when stopped."""
        self._janitor.stop()
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def poll(self) -> int | None:
        """The server's exit status, or None while it runs."""
        return self._started().poll()

    def wait(self, timeout: float | None = None) -> int | None:
        """Waits for the server to end; its exit status, or None if `timeout` seconds passed."""
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
            raise RuntimeError("the embedded broker was not started")
        return self._process

    def _require_free_port(self) -> None:
        # Asked beforehand, since another broker that holds the port would look like this one.
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self.port))
            except (OSError, OverflowError) as error:
                raise BrokerError(self._port_sentence(error)) from error

    def _port_sentence(self, error: OSError | OverflowError) -> str:
        if isinstance(error, OverflowError):
            return f"{self.port} is not a port: choose one from 1 to 65535 with --port"
        if isinstance(error, PermissionError):
            return f"port {self.port} may not be used by this user: choose another with --port"
        return f"port {self.port} is already in use: choose another with --port"

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise BrokerError(self._why_it_ended(process.returncode))
            if is_ready(HOST, self.port):
                return
            time.sleep(_POLL_SECONDS)
        raise BrokerError(
            f"the embedded broker did not answer within {_START_SECONDS:.0f} s, see {self.log}"
        )

    def _why_it_ended(self, status: int) -> str:
        log = self.log.read_text(errors="replace")
        if reason := noida.explain(log):
            return f"the embedded broker cannot start: {reason}"
        lines = [line for line in log.splitlines() if line.strip()]
        last = lines[-1] if lines else f"exit status {status}, nothing printed"
        return f"the embedded broker ended while starting: {last}"
