"""The room in memory for votes that wait for others, and what is said when it is short.

At a gap, a request that nobody has voted on, more may wait than otherwise: only a vote that is not
read yet can end it. What is read is not known here, nor when; that makes it a matter of numbers.
"""

import logging

from catdog_stream.wire import Source

__all__ = ["MAX_GAP_BYTES", "MAX_HELD_BYTES", "VoteBudget", "cost"]

logger = logging.getLogger(__name__)

#: Votes that wait for others take so much memory at most; more are read when these are decided.
MAX_HELD_BYTES = 128 * 1024 * 1024
#: And so much where they wait for a request without a vote.
MAX_GAP_BYTES = 512 * 1024 * 1024
#: What a record takes: the objects around it, its value so many times, and each object or list in
#: it, of which clients may send many. Measured, with votes of 240 to 9200 bytes; one that is held
#: takes it twice.
RECORD_BYTES, VALUE_COPIES, NESTED_BYTES = 700, 3, 50


def cost(value: bytes | None) -> int:
    """What a record with this value takes in memory."""
    value = value or b""
    nested = value.count(b"{") + value.count(b"[")
    return RECORD_BYTES + VALUE_COPIES * len(value) + NESTED_BYTES * nested


class VoteBudget:
    """Tells whether there is room, and what the gaps are. ``held`` is what votes take by now.

    Args:
        most: bytes that they may take.
        most_at_gap: bytes that they may take while any partition has a gap.
    """

    def __init__(self, most: int = MAX_HELD_BYTES, most_at_gap: int = MAX_GAP_BYTES) -> None:
        self._most = most
        self._most_at_gap = most_at_gap
        #: By partition: the request without a vote that others have waited for too long.
        self._gaps: dict[int, Source] = {}
        #: What was last said of the room.
        self._told = ""

    def is_full(self, held: int) -> bool:
        """Whether nothing more is read until something is decided."""
        return held > (self._most_at_gap if self._gaps else self._most)

    def problems(self, held: int) -> list[str]:
        """The gaps; and that there is no more room, if they fill it."""
        gaps = [_gap(request) for request in self._gaps.values()]
        return [*gaps, self._no_room()] if gaps and self.is_full(held) else gaps

    def begin_gap(self, request: Source) -> None:
        """Votes behind this request have waited too long for one on it; the log says so once."""
        if self._gaps.get(request.partition) != request:
            self._gaps[request.partition] = request
            logger.warning("%s", _gap(request), extra={"source": str(request)})

    def end_gap(self, partition: int) -> None:
        """The partition has none, or none any more."""
        self._gaps.pop(partition, None)

    def forget_gaps(self) -> None:
        """No partition has one that is known."""
        self._gaps.clear()

    def tell(self, held: int) -> None:
        """Say once for each gap, or gaps that follow each other, that more is held than usual."""
        if held <= self._most:
            self._told = ""
        elif self._gaps:
            text = self._no_room() if self.is_full(held) else self._more_room()
            if self._told not in (text, self._no_room()):
                self._told = text
                logger.warning("%s", text)

    def _more_room(self) -> str:
        megabytes = self._most >> 20
        return f"Votes are read on though over {megabytes} MB wait: one that ends a gap is missing."

    def _no_room(self) -> str:
        megabytes = self._most_at_gap >> 20
        return (
            f"No more votes are read: {megabytes} MB wait for one that ends a gap. "
            "docs/voting.md says what to do."
        )


def _gap(request: Source) -> str:
    return f"Nobody has voted on the request {request}: those behind it wait for a vote on it."
