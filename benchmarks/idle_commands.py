"""CPU cost of the long-running commands while nothing happens."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.local_kafka import idle_percent

__all__ = ["idle_commands"]

#: Seconds for the start, which is not measured.
START_SECONDS = 5.0


def idle_commands(address: str, picture: Path) -> Mapping[str, float]:
    """Return the share of a core, in percent, that each command takes.

    No worker may run, because ``send`` must wait.
    """
    return {
        "watch": _idle(address, "watch"),
        "send --wait": _idle(address, "send", "--wait", "--timeout", "600", str(picture)),
    }


def _idle(address: str, *arguments: str) -> float:
    process = subprocess.Popen(
        [sys.executable, "-m", "catdog_stream", *arguments],
        env={**os.environ, "CATDOG_BROKER": f"kafka://{address}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(START_SECONDS)
        percent = idle_percent(process.pid)
        if process.poll() is not None:
            raise RuntimeError(f"catdog-stream {' '.join(arguments)} has ended.")
        return percent
    finally:
        process.kill()
        process.wait()
