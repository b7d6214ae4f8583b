"""CPU time and memory of the processes that are measured."""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import psutil

__all__ = ["Meter", "Program", "cpu_meter", "listener", "memory_mb", "stage", "thread_seconds"]

#: Name to the seconds of CPU time used so far.
Meter = Callable[[], Mapping[str, float]]


class Program(Protocol):
    """A process that has been started."""

    @property
    def log(self) -> Path:
        """The file with all that it prints."""

    @property
    def process(self) -> "Process":
        """Its handle."""


class Process(Protocol):
    """A process."""

    @property
    def pid(self) -> int:
        """Its process id."""


def cpu_meter(address: str, programs: Sequence[Program], *, by_thread: bool = False) -> Meter:
    """Reads the CPU time of the processes of a run.

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
    """CPU time that a process has used, of all its threads, in user and kernel mode."""
    return sum(psutil.Process(pid).cpu_times()[:2])


def thread_seconds(pid: int) -> Mapping[str, float]:
    """CPU time of the threads of a process, by `stage`. Linux only."""
    seconds: dict[str, float] = {}
    for thread in psutil.Process(pid).threads():
        try:
            name = Path(f"/proc/{pid}/task/{thread.id}/comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        key = stage(name)
        seconds[key] = seconds.get(key, 0.0) + thread.user_time + thread.system_time
    return seconds


def stage(thread: str) -> str:
    """What a thread works at, from its name: threads of one pool differ in a number alone."""
    return re.sub(r"[-_ ]*\d*$", "", thread) or thread


def memory_mb(pid: int) -> float:
    """Resident memory of a process, in units of 2**20 bytes."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def listener(address: str) -> int | None:
    """The process of this machine that listens at ``host:port``, if there is one to be seen."""
    port = int(address.rpartition(":")[2])
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,):
            return connection.pid
    return None
