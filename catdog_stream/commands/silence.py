"""Report of a silent Kafka within seconds while a command runs.

aiokafka retries for minutes without a message, and a consumer retries forever.
"""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

from tqdm import tqdm

from catdog_stream import deadlines
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.silence import silence
from catdog_stream.patches.request_deadlines import last_answer, waiting_longest

__all__ = ["saying_silence"]

#: Seconds between two checks of the requests of this process.
POLL_SECONDS = 0.5

T = TypeVar("T")


async def saying_silence(cluster: ClusterConfig, work: Coroutine[Any, Any, T]) -> T:
    """Run ``work``, and print to stderr when Kafka stops answering and when it answers again.

    Returns and raises the same as ``work``.
    """
    watching = asyncio.ensure_future(_watch(cluster))
    try:
        return await work
    finally:
        watching.cancel()


async def _watch(cluster: ClusterConfig) -> None:
    is_reported = False
    while True:
        await asyncio.sleep(POLL_SECONDS)
        # After a recent answer no probe is needed, except to report the end of a silence.
        if not is_reported and not _is_suspicious():
            continue
        sentence = await silence(cluster)
        if sentence is not None and not is_reported:
            _say(f"{sentence} Trying on: Ctrl-C stops.")
        elif sentence is None and is_reported:
            _say("Kafka answers again.")
        is_reported = sentence is not None


def _is_suspicious() -> bool:
    """Return true if a request waits, or none was answered, for longer than usual."""
    longest = waiting_longest()
    waited = 0.0 if longest is None else longest[0]
    return max(waited, last_answer()) > deadlines.SUSPICIOUS


def _say(sentence: str) -> None:
    tqdm.write(sentence, file=sys.stderr)
