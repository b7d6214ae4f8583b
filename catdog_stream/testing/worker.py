"""Real worker process for tests."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.waiting import wait_until

HTTP_SECONDS = 10.0
#: Seconds for a start, a rebalance or a recovery on a busy test machine.
PATIENCE = 90.0
#: Seconds for a graceful stop.
STOP_SECONDS = 12.0
#: Logs of all workers that were started, for the report of a failed test.
logs: list[Path] = []


class Worker:
    """Process of ``catdog-stream worker`` on the broker at ``address``; ends with its block."""

    def __init__(
        self,
        address: str,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        module: str = "catdog_stream",
    ) -> None:
        self.port = free_ports(1)[0]
        self.log = folder / f"worker-{self.port}.log"
        logs.append(self.log)
        self._environment = {
            **os.environ,
            "CATDOG_BROKER": f"kafka://{address}",
            "APP_DATADIR": str(folder / f"data-{self.port}"),
            **(settings or {}),
        }
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start the process without waiting for it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", self._module, "worker"),
                    *("--web-port", str(self.port), "--loglevel", "info"),
                ],
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        return self

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """Process of the worker, which must have been started."""
        assert self._process is not None
        return self._process

    def wait_ready(self) -> Self:
        """Wait until ``/readyz`` returns 200."""

        def ready() -> bool:
            assert self.process.poll() is None, f"the worker ended, see {self.log}"
            return self.status("/readyz") == 200

        wait_until(ready, f"the worker to be ready, see {self.log}", PATIENCE)
        return self

    def get(self, path: str) -> Any:
        """Return the JSON at ``path``. Raise ``OSError`` without an answer or a complete one."""
        try:
            with _open(f"http://127.0.0.1:{self.port}{path}") as answer:
                return json.loads(answer.read())
        except HTTPException as error:
            raise ConnectionError(f"The worker broke off: {error!r}.") from error

    def status(self, path: str) -> int | None:
        """Return the HTTP status of ``path``; ``None`` without an answer."""
        try:
            with _open(f"http://127.0.0.1:{self.port}{path}") as answer:
                return answer.status
        except (URLError, ConnectionError, HTTPException):
            return None

    def terminate(self, timeout: float = 30.0) -> int:
        """Send SIGTERM; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """Send SIGKILL, which no process can handle."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Freeze the process with SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the process continue with SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def tail(self) -> str:
        """Return the end of the log."""
        return tail(self.log)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Stop gracefully if possible: the next test relies on this worker's committed state."""
        try:
            if self.process.poll() is None:
                self.terminate(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()


def tail(log: Path) -> str:
    """Return the end of a log."""
    return log.read_text(errors="replace")[-4000:]


def _open(url: str) -> HTTPResponse:
    """Return the response with any status; ignore ``http_proxy``, the address is local."""
    try:
        answer = build_opener(ProxyHandler({})).open(url, timeout=HTTP_SECONDS)
    except HTTPError as error:
        answer = error
    return cast(HTTPResponse, answer)
