"""Takes workers that died out of their consumer groups on the embedded broker.

Kafka expires a member of a consumer group that sends no heartbeats; noida-db never does, and the
group waits for the dead member for ever. Since the embedded broker listens on the loopback
interface only, its clients are processes of this machine, so it can be seen whether one is alive:
each worker puts its process into its client id, and the janitor evicts members whose process is
gone. (A worker in another PID namespace, a container's, cannot be seen and must not use it.)

Members whose client id says nothing are other people's: they are left alone once the broker runs.
"""

import logging
import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from catdog_stream.broker.protocol import group_members, leave_group, list_groups
from catdog_stream.errors import BrokerError

_CLIENT_ID = re.compile(r"catdog-stream-(\d+)-(\d+)")
_STATE, _START_TIME = 0, 19  # fields 3 and 22 of /proc/PID/stat; see proc(5)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Process:
    """A process of this machine, told apart from a later one with the same id.

    `started` is when it started, in clock ticks since boot; 0 where that cannot be told.
    """

    pid: int
    started: int

    def is_alive(self) -> bool:
        """Whether it still runs; one that has ended and was not waited for does not."""
        return _start_time(self.pid) == self.started


def client_id() -> str:
    """The Kafka client id that names this process to the janitor: set it in every worker."""
    pid = os.getpid()
    return f"catdog-stream-{pid}-{_start_time(pid)}"


def process_of(client_id: str) -> Process | None:
    """The process that a client id names, or None if it is not one of `client_id`'s."""
    match = _CLIENT_ID.fullmatch(client_id)
    return Process(int(match[1]), int(match[2])) if match else None


class Janitor:
    """Sweeps one broker's consumer groups, once and then in a thread every `interval` seconds."""

    def __init__(
        self,
        host: str,
        port: int,
        interval: float = 1.0,
        is_alive: Callable[[Process], bool] = Process.is_alive,
    ) -> None:
        self._host = host
        self._port = port
        self._interval = interval
        self._is_alive = is_alive
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Evicts what an earlier run of the broker left behind, then keeps watch in a thread."""
        self.sweep(strangers=True)
        self._stopping.clear()
        self._thread = threading.Thread(target=self._watch, name="janitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread. Harmless when there is none."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def sweep(self, *, strangers: bool = False) -> list[str]:
        """Evicts the members whose process is gone and returns their client ids.

        With `strangers`, also those whose client id names no process: right only when the broker
        has just started, when none of its members can be connected.
        """
        evicted = []
        for group in list_groups(self._host, self._port):
            for member in group_members(self._host, self._port, group):
                process = process_of(member.client_id)
                gone = strangers if process is None else not self._is_alive(process)
                if gone and leave_group(self._host, self._port, group, member.member_id):
                    logger.info("took %s, which is gone, out of group %s", member.client_id, group)
                    evicted.append(member.client_id)
        return evicted

    def _watch(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                self.sweep()
            except BrokerError as error:
                logger.debug("the broker cannot be swept now: %s", error)


def _start_time(pid: int) -> int | None:
    """Ticks from boot to the start of a process; None if there is no such process."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces
        return None if fields[_STATE] in "ZX" else int(fields[_START_TIME])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # alive, another user's
    return 0
