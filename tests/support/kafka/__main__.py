"""``python -m tests.support.kafka COMMAND...``: runs a command against a fresh Apache Kafka.

Fetches Kafka if need be, starts it in a temporary folder, runs the command with its address in
``CATDOG_TEST_BROKER``, stops it, and exits with the command's status, or with 69 if Kafka cannot
be had on this machine.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from tests.support.kafka.cluster import KafkaCluster
from tests.support.kafka.jars import KafkaUnavailableError, fetch

UNAVAILABLE = os.EX_UNAVAILABLE  # 69


def main() -> int:
    command = sys.argv[1:]
    if not command:
        sys.exit(f"{__doc__}")
    # A plain SIGTERM would end this process without stopping what it started.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        began = time.monotonic()
        jars = fetch()
    except KafkaUnavailableError as error:
        print(f"\n*** NOT RUN: {' '.join(command)}\n*** {error}\n", file=sys.stderr)
        return UNAVAILABLE
    fetched = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="catdog-kafka-") as folder,
        KafkaCluster(jars, Path(folder)) as kafka,
    ):
        print(
            f"Apache Kafka answers at {kafka.address}: fetched in {fetched - began:.1f} s, "
            f"formatted and started in {time.monotonic() - fetched:.1f} s",
            flush=True,
        )
        return _run(command, f"kafka://{kafka.address}")


def _run(command: list[str], address: str) -> int:
    process = subprocess.Popen(command, env={**os.environ, "CATDOG_TEST_BROKER": address})
    try:
        return process.wait()
    except KeyboardInterrupt:  # from a terminal the command got it too
        process.terminate()
        process.wait()
        return 128 + signal.SIGINT


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
