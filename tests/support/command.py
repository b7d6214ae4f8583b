"""Commands as a person at a terminal runs them."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.waiting import wait_until

#: Seconds for a whole system to start on a busy test machine.
PATIENCE = 90.0


class Surroundings:
    """Ports and folders of a system's own, so that it meets nobody else's."""

    def __init__(self, folder: Path) -> None:
        self.broker_port, self.web_port = free_ports(2)
        self.folder = folder
        self.environment = {
            **os.environ,
            "CATDOG_BROKER": f"kafka://127.0.0.1:{self.broker_port}",
            "WEB_PORT": str(self.web_port),
            "XDG_STATE_HOME": str(folder / "state"),
            "APP_DATADIR": str(folder / "data"),
        }

    @property
    def page(self) -> str:
        """The address of the web page."""
        return f"http://127.0.0.1:{self.web_port}"


class Command:
    """A program in a process group of its own, as a shell starts it; killed when the block ends."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.log = folder / f"{Path(arguments[0]).name}-{free_ports(1)[0]}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                arguments,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def output(self) -> str:
        """What it has printed so far, to stdout and stderr."""
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until it has printed ``text``."""

        def printed() -> bool:
            ended = self.process.poll() is not None
            if text in self.output():
                return True
            assert not ended, f"it ended with {self.process.returncode}:\n{self.output()}"
            return False

        wait_until(printed, f"{text!r} in {self.log}", seconds)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(timeout)

    def press_ctrl_c(self) -> None:
        """What a terminal does on Ctrl-C: SIGINT to the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def descendants(self) -> set[int]:
        """The processes that it started, and those that they started. Linux only."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we looked
        found, new = set[int](), {self.process.pid}
        while new:
            new = {pid for pid, parent in parents.items() if parent in new}
            found |= new
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()  # it may have servers to stop
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def catdog_stream(*arguments: str) -> list[str]:
    """The command line of ``catdog-stream`` in this Python."""
    return [sys.executable, "-m", "catdog_stream", *arguments]


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits as a zombie for its new parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
