"""Join of the votes of one partition, request by request. Uses no clock: times are inputs.

Each voter votes in the order of the partition. So when a vote on a request is in, its voter has
voted on all requests before it. Requests can therefore be decided strictly in their order: a
complete request waits for the one in front of it, which waits for its votes until its deadline.

The log of the votes is the only store, and determines all decisions. A vote may be acknowledged
once its request, and those of all votes in front of it, are decided. So the committed offset is at
the first vote that still matters, and after a restart undecided requests are joined again. The
passing of a deadline is written into the log, too: votes behind such a `DeadlineMarker` are late,
and a member that reads the log again, after a crash, decides the same.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from heapq import heappop, heappush
from typing import Generic, TypeVar

from catdog_stream.messages.votes import Vote
from catdog_stream.pipeline.voting.decision import Decision
from catdog_stream.pipeline.voting.pending_acks import NOTHING, PendingAcks

__all__ = ["Undecided", "VoteJoin", "VoteStatus"]

T = TypeVar("T")

#: Largest number of requests in one deadline marker.
MAX_CLOSED = 1000


class VoteStatus(StrEnum):
    """Status of a vote record."""

    HELD = auto()
    """The vote waits for the other votes on its request."""
    LATE = auto()
    """The request is decided, or will be decided without this vote."""
    REPEATED = auto()
    """The voter has voted on this request before: its first vote counts."""
    UNEXPECTED = "stranger"
    """The voter is not expected. The value is public: metrics have it as a label."""
    UNREADABLE = auto()
    """The record is not a vote, or is in the wrong partition."""


@dataclass(slots=True)
class Undecided:
    """Request that is not decided, with its votes."""

    offset: int
    #: Time at which the first vote on the request was read.
    since: float
    votes: dict[str, Vote] = field(default_factory=dict)
    #: True if its deadline has passed according to the log.
    closed: bool = False
    #: Memory for these votes, in bytes.
    bytes: int = 0


class VoteJoin(Generic[T]):
    """Undecided requests of one partition.

    Args:
        voters: names of the expected voters, in the order in which their votes are reported.
        deadline: seconds from the first vote on a request until it is decided without the others.
        first: offset of the first undecided request; ``None`` if none was ever decided.
    """

    def __init__(self, voters: Sequence[str], *, deadline: float, first: int | None) -> None:
        self._voters = voters
        self._deadline = deadline
        #: Offset of the first request that is neither decided nor being published.
        self.first = first
        self._undecided: dict[int, Undecided] = {}
        self._order: list[int] = []
        #: Requests whose deadline has not passed yet, in the order of their arrival.
        self._arrived: deque[Undecided] = deque()
        self._log: PendingAcks[T] = PendingAcks(first)
        #: Memory for the waiting votes, in bytes.
        self._held = 0

    def __len__(self) -> int:
        return len(self._undecided)

    @property
    def bytes(self) -> int:
        """Memory in bytes for the waiting votes and the unacknowledged records."""
        return self._held + self._log.bytes

    def add(self, vote: Vote, token: T, now: float, size: int = 0) -> VoteStatus:
        """Add the next vote of the log.

        ``settle`` or ``free`` returns ``token`` later, or the token of a later record.

        Args:
            vote: the vote.
            token: stands for its record.
            now: present time, in seconds.
            size: memory for its record in bytes; a waiting vote takes the same again.
        """
        status = self._fate(vote)
        offset = vote.source.offset
        # A late or repeated vote need not be waited for: the votes that count are in front of it.
        self._log.append(offset if status is VoteStatus.HELD else NOTHING, token, size)
        if status is VoteStatus.HELD:
            request = self._undecided.get(offset)
            if request is None:
                request = self._undecided[offset] = Undecided(offset, now)
                heappush(self._order, offset)
                self._arrived.append(request)
            request.votes[vote.voter] = vote
            request.bytes += size
            self._held += size
        return status

    def close(self, offsets: Iterable[int]) -> None:
        """Mark requests as closed: their deadlines have passed."""
        for offset in offsets:
            if (request := self._undecided.get(offset)) is not None:
                request.closed = True

    def pass_over(self, token: T, size: int = 0) -> None:
        """Add a record of the log that no request waits for."""
        self._log.append(NOTHING, token, size)

    def _fate(self, vote: Vote) -> VoteStatus:
        if vote.voter not in self._voters:
            return VoteStatus.UNEXPECTED
        if self.first is not None and vote.source.offset < self.first:
            return VoteStatus.LATE
        request = self._undecided.get(vote.source.offset)
        if request is None:
            return VoteStatus.HELD
        if vote.voter in request.votes:
            return VoteStatus.REPEATED
        return VoteStatus.LATE if request.closed else VoteStatus.HELD

    @property
    def head(self) -> Undecided | None:
        """The request that is decided next; ``None`` if there is none."""
        return self._undecided[self._order[0]] if self._order else None

    @property
    def is_ready(self) -> bool:
        """True if the request at the head can be decided: it waits for no more votes."""
        head = self.head
        return head is not None and (head.closed or len(head.votes) == len(self._voters))

    def next_deadline(self) -> float | None:
        """Return the time of the next deadline; ``None`` if there is none."""
        return self._arrived[0].since + self._deadline if self._arrived else None

    def close_head(self, now: float) -> None:
        """Close the request at the head if its deadline has passed."""
        head = self.head
        if head is not None and head.since + self._deadline <= now:
            head.closed = True

    def overdue(self, now: float) -> list[int]:
        """Return the requests whose deadline has passed, for the log. Each is returned once."""
        found: list[int] = []
        while (
            len(found) < MAX_CLOSED
            and self._arrived
            and self._arrived[0].since + self._deadline <= now
        ):
            request = self._arrived.popleft()
            waits = len(request.votes) < len(self._voters) and not request.closed
            if waits and self._waits(request):
                found.append(request.offset)
        return found

    def take(self) -> Decision:
        """Remove the request at the head and decide it: later votes on it are late."""
        request = self._remove_head()
        self.first = request.offset + 1
        self._log.decide(request.offset)
        votes, request.votes = request.votes, {}  # frees them: ``_arrived`` may keep the request
        return Decision(
            tuple(votes[name] for name in self._voters if name in votes),
            tuple(name for name in self._voters if name not in votes),
            request.since,
        )

    def drop(self) -> None:
        """Remove the request at the head, because there is no such request in Kafka."""
        self._log.drop(self._remove_head().offset)

    def _remove_head(self) -> Undecided:
        request = self._undecided.pop(heappop(self._order))
        self._held -= request.bytes
        # Otherwise a request that is decided early would stay here until its deadline.
        while self._arrived and not self._waits(self._arrived[0]):
            self._arrived.popleft()
        return request

    def _waits(self, request: Undecided) -> bool:
        return self._undecided.get(request.offset) is request

    def settle(self, offset: int) -> list[T]:
        """Mark requests up to ``offset`` as answered and counted; return tokens to acknowledge."""
        self._log.settle(offset)
        return self._log.free()

    def free(self) -> list[T]:
        """Return the tokens to acknowledge now, in log order; each covers all before it."""
        return self._log.free()
