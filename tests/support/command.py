"""Commands as a user at a terminal runs them."""

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
    """Private ports and folders of a system, so that it meets no other system."""

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
        """Address of the web page."""
        return f"http://127.0.0.1:{self.web_port}"


class Command:
    """Program in its own process group, as a shell starts it; killed when the block ends."""

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
        """Return the text that the program has printed so far, to stdout and stderr."""
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until the program has printed ``text``."""

        def printed() -> bool:
            ended = self.process.poll() is not None
            if text in self.output():
                return True
            assert not ended, f"it ended with {self.process.returncode}:\n{self.output()}"
            return False

        wait_until(printed, f"{text!r} in {self.log}", seconds)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for the program's end and return its exit code."""
        return self.process.wait(timeout)

    def press_ctrl_c(self) -> None:
        """Send SIGINT to the whole process group, as a terminal does on Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def descendants(self) -> set[int]:
        """Return the process ids of the program's children and of their children. Linux only."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue  # the process ended meanwhile
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
            self.process.terminate()  # the program may have servers to stop
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def catdog_stream(*arguments: str) -> list[str]:
    """Return the command line of ``catdog-stream`` in this Python."""
    return [sys.executable, "-m", "catdog_stream", *arguments]


def has_ended(pid: int) -> bool:
    """Return True if a process is gone, or a zombie that its new parent has not reaped yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
