"""Detection of requests that end workers: found one at a time, and rejected unread.

A picture that crashes the process (a fault in a decoder, memory that runs out) is delivered to the
next worker again, and would end every worker in turn. So the metadata of a committed offset holds
the number of workers that have begun there. A worker that takes a partition over adds itself; one
that releases the partition in good order removes the mark. After ``DEATHS_IN_COMPANY`` workers have
died without any progress, the next one is careful: it processes one request at a time, and commits
before each request which one it is. If that worker dies, the request was alone, and the next worker
rejects it unread. No request is rejected only because it was in progress beside the culprit.

A partition without deaths costs one commit when it is taken over, and nothing for each request.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import orjson
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.types import TP, Message

from catdog_stream.delivery.counting import MAX_METADATA_BYTES
from catdog_stream.errors import Reason, RejectedRequest

__all__ = ["DEATHS_IN_COMPANY", "Suspects"]

logger = logging.getLogger(__name__)

#: Number of workers that begin at an offset and die without progress before the next is careful.
DEATHS_IN_COMPANY = 2
#: Shortest time for which a worker is careful, in seconds: the requests in front of the culprit
#: were processed in parallel, within the second before a commit, and are now processed one by one.
CAREFUL_SECONDS = 30.0
POLL_SECONDS = 0.005
COMMIT_AGAIN_SECONDS = 0.1
#: Longest wait for the commit of a mark, in seconds. Then a worker that is not careful processes
#: requests without the mark.
UNMARKED_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Mark:
    """Note that is committed with an offset."""

    offset: int
    #: Number of consecutive workers that began at the offset, including this one.
    begun: int
    #: Offset of the request that is processed alone.
    alone: int | None = None


class Suspects:
    """Marks of one consumer on the partitions that it reads.

    Args:
        topics: topics whose requests are watched.
        clock: monotonic time in seconds.
    """

    def __init__(
        self, topics: Collection[str] = (), *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._topics = topics
        self._clock = clock
        self._marks: dict[TP, _Mark] = {}
        self._condemned: dict[TP, int] = {}
        #: Partitions whose mark is not committed yet, and the marks of the current commit.
        self.unwritten: set[TP] = set()
        self._sent: dict[TP, _Mark] = {}
        self._released = False
        #: Time at which the worker became careful; ``None`` while it is not.
        self._careful_since: float | None = None
        self._alone_so_far = 0

    # -- Hooks of the consumer.

    def take_over(self, committed: Mapping[TP, OffsetAndMetadata]) -> None:
        """Start with the committed offsets and the marks in their metadata."""
        self._released = False
        self._marks.clear()
        self._condemned.clear()
        suspicious = []
        for tp, (offset, metadata) in committed.items():
            if tp.topic in self._topics:
                begun, alone = _read(metadata)
                self._marks[tp] = _Mark(offset, begun + 1)
                if alone is not None and alone >= offset:
                    self._condemned[tp] = alone
                if begun >= DEATHS_IN_COMPANY or tp in self._condemned:
                    suspicious.append(f"{tp.topic}/{tp.partition}/{offset}")
        self.unwritten = set(self._marks)
        if suspicious:
            self._careful_since, self._alone_so_far = self._clock(), 0
            logger.warning(
                "Workers have died without an answer to requests from %s on: one request at a time "
                "is processed until the cause is found.",
                ", ".join(sorted(suspicious)),
            )

    def marked(self, tp: TP, offset: int, metadata: str) -> str:
        """Return the metadata of a commit with the mark added."""
        mark = self._marks.get(tp)
        if mark is None:
            return metadata
        self._sent[tp] = mark
        begun = mark.begun if offset <= mark.offset else 1
        if self._released:
            begun = DEATHS_IN_COMPANY if self._careful_since is not None else 0
        more = f'"begun":{begun}'
        if mark.alone is not None and mark.alone >= offset and not self._released:
            more += f',"alone":{mark.alone}'
        if not begun:
            return metadata
        text = f"{metadata[:-1]},{more}}}" if metadata else f"{{{more}}}"
        return text if len(text.encode()) <= MAX_METADATA_BYTES else metadata

    def note_committed(self, partitions: Collection[TP]) -> None:
        """Record that a commit of ``partitions`` has succeeded."""
        for tp in partitions:
            if tp in self._marks and self._sent.get(tp) is self._marks[tp]:
                self.unwritten.discard(tp)

    def release(self) -> None:
        """Make the next commit remove the marks: this worker ends in good order."""
        self._released = True
        self.unwritten = set(self._marks)

    # -- Before each request.

    async def examine(
        self,
        message: Message,
        *,
        commit: Callable[[], Awaitable[object]],
        is_current: Callable[[], bool],
        in_flight: Callable[[], int],
        most_in_flight: int,
    ) -> RejectedRequest | None:
        """Return why a request must not be processed; after deaths, wait until it is alone.

        Args:
            message: the request.
            commit: commits what can be committed.
            is_current: returns whether the partition still belongs to this worker.
            in_flight: returns the number of requests in progress.
            most_in_flight: largest number of requests in progress at a time.
        """
        tp, offset = message.tp, message.offset
        if tp not in self._marks:
            self._marks[tp] = _Mark(offset, 1)
            self.unwritten.add(tp)
        elif not self.unwritten and self._careful_since is None:
            return None
        if self._condemned.get(tp) == offset:
            del self._condemned[tp]
            return RejectedRequest(
                Reason.STOPPED_WORKERS,
                "The worker that processed this request alone died, as others before it.",
            )
        if self._careful_since is not None:
            while in_flight() and is_current():
                await asyncio.sleep(POLL_SECONDS)
            self._alone_so_far += 1
            if self._alone_so_far > most_in_flight and self._clock() - self._careful_since > (
                CAREFUL_SECONDS
            ):
                self._careful_since = None
                logger.warning("No worker died any more: requests are processed side by side.")
            else:
                self._marks[tp] = replace(self._marks[tp], alone=offset)
            self.unwritten.add(tp)
        end = self._clock() + UNMARKED_SECONDS
        while self.unwritten and not self._released and is_current():
            with suppress(KafkaError):  # the next commit of the worker raises it again
                await commit()
            if self.unwritten:
                if self._careful_since is None and self._clock() > end:
                    break
                await asyncio.sleep(COMMIT_AGAIN_SECONDS)
        return None


def _read(metadata: str) -> tuple[int, int | None]:
    """Return the number of workers that have begun there, and the request that was alone."""
    try:
        document = orjson.loads(metadata)
        begun, alone = document.get("begun", 0), document.get("alone")
    except (ValueError, AttributeError):
        return 0, None
    if not isinstance(begun, int) or not isinstance(alone, int | None):
        return 0, None
    return begun, alone
