"""Memory budget for votes that wait for others, and messages when it is exceeded.

A gap is a request without a vote while votes behind it wait. At a gap, more votes may wait than
otherwise: only a vote that is not read yet can end the gap. The module does not read votes; it
only compares numbers.
"""

import logging

from catdog_stream.messages.wire import Source

__all__ = ["MAX_GAP_BYTES", "MAX_HELD_BYTES", "VoteBudget", "cost"]

logger = logging.getLogger(__name__)

#: Largest memory for waiting votes, in bytes; reading continues when some of these are decided.
MAX_HELD_BYTES = 128 * 1024 * 1024
#: Largest memory while votes wait for a request without a vote, in bytes.
MAX_GAP_BYTES = 512 * 1024 * 1024
#: Memory of a record: the objects around it, copies of its value, and bytes for each object or list
#: in it, of which clients may send many. Measured with votes of 240 to 9200 bytes. A waiting vote
#: takes it twice.
RECORD_BYTES, VALUE_COPIES, NESTED_BYTES = 700, 3, 50


def cost(value: bytes | None) -> int:
    """Return the memory in bytes for a record with this value."""
    value = value or b""
    nested = value.count(b"{") + value.count(b"[")
    return RECORD_BYTES + VALUE_COPIES * len(value) + NESTED_BYTES * nested


class VoteBudget:
    """Memory budget, with the known gaps. ``held`` is the memory in bytes that votes use now.

    Args:
        most: largest memory for votes, in bytes.
        most_at_gap: the same while any partition has a gap.
    """

    def __init__(self, most: int = MAX_HELD_BYTES, most_at_gap: int = MAX_GAP_BYTES) -> None:
        self._most = most
        self._most_at_gap = most_at_gap
        #: By partition: the request without a vote for which others have waited too long.
        self._gaps: dict[int, Source] = {}
        #: Last logged message about the budget.
        self._logged = ""

    def is_full(self, held: int) -> bool:
        """Return whether reading must stop until a request is decided."""
        return held > (self._most_at_gap if self._gaps else self._most)

    def problems(self, held: int) -> list[str]:
        """Return a sentence for each gap, and another if the budget is exceeded at a gap."""
        gaps = [_gap(request) for request in self._gaps.values()]
        return [*gaps, self._full_text()] if gaps and self.is_full(held) else gaps

    def begin_gap(self, request: Source) -> None:
        """Record a gap: votes have waited too long for one on this request. Log each gap once."""
        if self._gaps.get(request.partition) != request:
            self._gaps[request.partition] = request
            logger.warning("%s", _gap(request), extra={"source": str(request)})

    def end_gap(self, partition: int) -> None:
        """Record that the partition has no gap, or no gap any more."""
        self._gaps.pop(partition, None)

    def forget_gaps(self) -> None:
        """Forget the gaps of all partitions."""
        self._gaps.clear()

    def log_use(self, held: int) -> None:
        """Log once for each gap, or sequence of gaps, that more memory than usual is in use."""
        if held <= self._most:
            self._logged = ""
        elif self._gaps:
            text = self._full_text() if self.is_full(held) else self._gap_text()
            if self._logged not in (text, self._full_text()):
                self._logged = text
                logger.warning("%s", text)

    def _gap_text(self) -> str:
        megabytes = self._most >> 20
        return f"Votes are read on though over {megabytes} MB wait: one that ends a gap is missing."

    def _full_text(self) -> str:
        megabytes = self._most_at_gap >> 20
        return (
            f"No more votes are read: {megabytes} MB wait for one that ends a gap. "
            "docs/voting.md says what to do."
        )


def _gap(request: Source) -> str:
    return f"Nobody has voted on the request {request}: those behind it wait for a vote on it."
