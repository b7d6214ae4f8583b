"""A shadow's process as the worker has it: started, asked, killed."""

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

#: For a process to end that has closed its socket.
END_SECONDS = 5.0


class ShadowError(Exception):
    """The shadow cannot go on; the sentence says why."""


class Child:
    """One process. ``kill`` may be called from another thread, and ends what waits for it.

    Args:
        module: what it runs.
    """

    def __init__(self, module: str) -> None:
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # From where this process imports, and not from the folder it happens to be in.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONSAFEPATH": "1"},
                # Ctrl-C in a terminal is for the worker, which ends this one. Not in a session of
                # its own: Linux shares the cores among sessions first, whatever their priorities.
                process_group=0,
            )

    def begin(self, assignment: Assignment, patience: float) -> dict[str, Any]:
        """Have it load; what it says of itself. Raises ``ShadowError``."""
        return self._asked(asdict(assignment), b"", patience)

    def look(self, seen: Seen, patience: float) -> dict[str, Any]:
        """What it makes of a picture. Raises ``ShadowError`` if it ended, or takes too long."""
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
            raise ShadowError(f"It said nothing for {patience:g} s.") from None
        except (OSError, EOFError):
            raise ShadowError(f"Its process ended with status {self._status()}.") from None

    def _status(self) -> int:
        try:
            return self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.wait()

    def kill(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()

    def close(self) -> None:
        """End it, and leave nothing behind."""
        self.kill()
        self._process.wait()
        self._connection.close()
