"""CPU time and memory of the measured processes."""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import psutil

__all__ = ["Meter", "Program", "cpu_meter", "listener", "memory_mb", "stage", "thread_seconds"]

#: Maps a name to the seconds of CPU time used so far.
Meter = Callable[[], Mapping[str, float]]


class Program(Protocol):
    """Running program."""

    @property
    def log(self) -> Path:
        """File with all that the program prints."""

    @property
    def process(self) -> "Process":
        """Handle of the process."""


class Process(Protocol):
    """Process with a process id."""

    @property
    def pid(self) -> int:
        """Process id."""


def cpu_meter(address: str, programs: Sequence[Program], *, by_thread: bool = False) -> Meter:
    """Return a function that reads the CPU time of the processes of a run.

    They are ``program``, for all ``programs`` together; ``client``, which is this process; and
    ``broker``, at ``address``, unless it runs on another machine. ``by_thread`` adds the threads of
    the programs under their names, as in ``program: decode``.
    """
    server = listener(address)

    def read() -> Mapping[str, float]:
        pids = [program.process.pid for program in programs]
        seconds = {"program": sum(map(cpu_seconds, pids)), "client": time.process_time()}
        if server is not None:
            seconds["broker"] = cpu_seconds(server)
        if by_thread:
            threads = sum((Counter(thread_seconds(pid)) for pid in pids), Counter[str]())
            seconds |= {f"program: {name}": used for name, used in threads.items()}
        return seconds

    return read


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that all threads of a process have used, in user and kernel mode."""
    return sum(psutil.Process(pid).cpu_times()[:2])


def thread_seconds(pid: int) -> Mapping[str, float]:
    """Return the CPU time of the threads of a process, by `stage`. Linux only."""
    seconds: dict[str, float] = {}
    for thread in psutil.Process(pid).threads():
        try:
            name = Path(f"/proc/{pid}/task/{thread.id}/comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue  # the thread has just ended
        key = stage(name)
        seconds[key] = seconds.get(key, 0.0) + thread.user_time + thread.system_time
    return seconds


def stage(thread: str) -> str:
    """Return the stage of a thread from its name: threads of one pool differ in a number only."""
    return re.sub(r"[-_ ]*\d*$", "", thread) or thread


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process, in units of 2**20 bytes."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def listener(address: str) -> int | None:
    """Return the process of this machine that listens at ``host:port``, if this user can see it."""
    port = int(address.rpartition(":")[2])
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,):
            return connection.pid
    return None
