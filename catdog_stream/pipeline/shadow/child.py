"""Worker's handle of the shadow's process: start, request, kill."""

import os
import socket
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from catdog_stream.pipeline.shadow.frames import receive, send
from catdog_stream.pipeline.shadow.process import Assignment
from catdog_stream.pipeline.shadow.waiting import Seen

__all__ = ["Child", "ShadowError"]

#: Longest wait for a process to end that has closed its socket, in seconds.
END_SECONDS = 5.0


class ShadowError(Exception):
    """The shadow cannot continue; the message says why."""


class Child:
    """Process of a shadow. Another thread may call ``kill``, which also ends a waiting request.

    Args:
        module: Python module that the process runs.
    """

    def __init__(self, module: str) -> None:
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Import from where this process does, not from the present folder.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONSAFEPATH": "1"},
                # Ctrl-C in a terminal is for the worker, which ends this process. No new session:
                # Linux divides the cores among sessions first, and priorities only within each.
                process_group=0,
            )

    def begin(self, assignment: Assignment, patience: float) -> dict[str, Any]:
        """Let the process load its stack; return its report. Raises ``ShadowError``."""
        return self._asked(asdict(assignment), b"", patience)

    def look(self, seen: Seen, patience: float) -> dict[str, Any]:
        """Return the comparison for a picture. Raises ``ShadowError`` if it ends or is too slow."""
        verdict = seen.verdict
        document = {
            "source": str(seen.source),
            "stack": verdict.stack,
            "scores": dict(verdict.scores),
            "unknown": verdict.unknown,
        }
        return self._asked(document, seen.picture, patience)

    def _asked(self, document: dict[str, Any], data: bytes, patience: float) -> dict[str, Any]:
        self._connection.settimeout(patience)
        try:
            send(self._connection, document, data)
            return receive(self._connection)[0]
        except TimeoutError:
            raise ShadowError(f"It did not answer for {patience:g} s.") from None
        except (OSError, EOFError):
            raise ShadowError(f"Its process ended with status {self._status()}.") from None

    def _status(self) -> int:
        try:
            return self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.wait()

    def kill(self) -> None:
        """Kill the process, whatever it does."""
        self._process.kill()

    def close(self) -> None:
        """Kill the process, and release its resources."""
        self.kill()
        self._process.wait()
        self._connection.close()
