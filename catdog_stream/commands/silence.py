"""Silence of Kafka while a command runs: said within seconds, whatever the command waits for.

aiokafka tries again for minutes without a word, and a consumer for ever.
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

#: Seconds between two looks at the requests of this process.
POLL_SECONDS = 0.5

T = TypeVar("T")


async def saying_silence(cluster: ClusterConfig, work: Coroutine[Any, Any, T]) -> T:
    """Run ``work``, and print to stderr when Kafka falls silent meanwhile, and answers again.

    Returns what ``work`` does, and raises what it raises.
    """
    watching = asyncio.ensure_future(_watch(cluster))
    try:
        return await work
    finally:
        watching.cancel()


async def _watch(cluster: ClusterConfig) -> None:
    said = False
    while True:
        await asyncio.sleep(POLL_SECONDS)
        # An answer a moment ago costs no look; but of a silence that was said, the end is said too.
        if not said and not _is_suspicious():
            continue
        sentence = await silence(cluster)
        if sentence is not None and not said:
            _say(f"{sentence} Trying on: Ctrl-C stops.")
        elif sentence is None and said:
            _say("Kafka answers again.")
        said = sentence is not None


def _is_suspicious() -> bool:
    """Return whether a request waits, or none was answered, for longer than is usual."""
    longest = waiting_longest()
    waited = 0.0 if longest is None else longest[0]
    return max(waited, last_answer()) > deadlines.SUSPICIOUS


def _say(sentence: str) -> None:
    tqdm.write(sentence, file=sys.stderr)
