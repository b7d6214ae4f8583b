"""The votes of one partition, joined request by request. Pure: time comes in as numbers.

Each voter votes in the order of the partition. So when a vote on some request is there, its voter
has voted on all before it, and requests can be decided strictly in their order: one that is
complete waits for the one in front of it, which waits for its votes until its deadline has passed.

The log of the votes is the only store, and what is decided follows from it alone. A vote may be
acknowledged once every vote in front of it, and it, is on a request that was decided: so where
reading begins again lies the first vote that still matters, and what is undecided is joined anew.
That a deadline has passed is written into the log, too: votes behind such a `Closing` are late, and
whoever reads the log again, after a crash, decides the same.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from heapq import heappop, heappush
from typing import Generic, TypeVar

from catdog_stream.pipeline.voting.decision import Decision
from catdog_stream.pipeline.voting.pending_acks import NOTHING, PendingAcks
from catdog_stream.votes import Vote

__all__ = ["Undecided", "VoteJoin", "VoteStatus"]

T = TypeVar("T")

#: So many requests are closed by one record at most.
MAX_CLOSED = 1000


class VoteStatus(StrEnum):
    """What becomes of a record of the votes."""

    HELD = auto()
    """It waits for the other votes on its request."""
    LATE = auto()
    """Its request has been decided, or will be without it."""
    REPEATED = auto()
    """Its voter has voted on this request: the first vote is the one that counts."""
    UNEXPECTED = "stranger"
    """Nobody expects a vote of its voter. The value is public: metrics have it as a label."""
    UNREADABLE = auto()
    """It is no vote, or stands where it cannot be right."""


@dataclass(slots=True)
class Undecided:
    """A request, and what was voted on it."""

    offset: int
    #: When the first vote on it was seen.
    since: float
    votes: dict[str, Vote] = field(default_factory=dict)
    #: Whether its deadline has passed, as the log says.
    closed: bool = False
    #: Of these votes.
    bytes: int = 0


class VoteJoin(Generic[T]):
    """The undecided requests of one partition.

    Args:
        voters: who is expected to vote, in the order in which their votes are told.
        deadline: seconds from the first vote on a request until it is decided without the others.
        first: the first request that is not decided; ``None`` where none ever was.
    """

    def __init__(self, voters: Sequence[str], *, deadline: float, first: int | None) -> None:
        self._voters = voters
        self._deadline = deadline
        #: The first request that is neither decided nor being published.
        self.first = first
        self._undecided: dict[int, Undecided] = {}
        self._order: list[int] = []
        #: In the order in which they came: those whose deadline has not passed yet.
        self._arrived: deque[Undecided] = deque()
        self._log: PendingAcks[T] = PendingAcks(first)
        #: What the votes take that are held.
        self._held = 0

    def __len__(self) -> int:
        return len(self._undecided)

    @property
    def bytes(self) -> int:
        """What it takes: the votes that are held, and the records that are not acknowledged."""
        return self._held + self._log.bytes

    def add(self, vote: Vote, token: T, now: float, size: int = 0) -> VoteStatus:
        """Take the next vote of the log.

        ``settle`` or ``free`` gives ``token`` back, or that of a later record.

        Args:
            size: what its record takes; a vote that is held takes as much once more.
        """
        fate = self._fate(vote)
        offset = vote.source.offset
        # What is late or repeated need not be waited for: the votes that count stand before it.
        self._log.append(offset if fate is VoteStatus.HELD else NOTHING, token, size)
        if fate is VoteStatus.HELD:
            request = self._undecided.get(offset)
            if request is None:
                request = self._undecided[offset] = Undecided(offset, now)
                heappush(self._order, offset)
                self._arrived.append(request)
            request.votes[vote.voter] = vote
            request.bytes += size
            self._held += size
        return fate

    def close(self, offsets: Iterable[int]) -> None:
        """The deadlines of some requests have passed."""
        for offset in offsets:
            if (request := self._undecided.get(offset)) is not None:
                request.closed = True

    def pass_over(self, token: T, size: int = 0) -> None:
        """Take a record of the log on which nothing waits."""
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
        """The request that is decided next."""
        return self._undecided[self._order[0]] if self._order else None

    @property
    def is_ready(self) -> bool:
        """Whether it can be decided: nothing more is waited for."""
        head = self.head
        return head is not None and (head.closed or len(head.votes) == len(self._voters))

    def next_deadline(self) -> float | None:
        """When ``overdue`` has more to say; ``None``: never."""
        return self._arrived[0].since + self._deadline if self._arrived else None

    def close_head(self, now: float) -> None:
        """Wait no longer for votes on the request at the head, if its deadline has passed."""
        head = self.head
        if head is not None and head.since + self._deadline <= now:
            head.closed = True

    def overdue(self, now: float) -> list[int]:
        """The requests whose deadline has passed, which the log is to say; each is named once."""
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
        """Decide the request at the head: votes on it that come from now on are late."""
        request = self._remove_head()
        self.first = request.offset + 1
        self._log.decide(request.offset)
        votes, request.votes = request.votes, {}  # it may stand behind others in ``_arrived``
        return Decision(
            tuple(votes[name] for name in self._voters if name in votes),
            tuple(name for name in self._voters if name not in votes),
            request.since,
        )

    def drop(self) -> None:
        """Forget the request at the head: there is no such request, whoever votes on it."""
        self._log.drop(self._remove_head().offset)

    def _remove_head(self) -> Undecided:
        request = self._undecided.pop(heappop(self._order))
        self._held -= request.bytes
        # Whatever was decided long before its deadline would stay until then, with its votes.
        while self._arrived and not self._waits(self._arrived[0]):
            self._arrived.popleft()
        return request

    def _waits(self, request: Undecided) -> bool:
        return self._undecided.get(request.offset) is request

    def settle(self, offset: int) -> list[T]:
        """The request at ``offset`` is answered and counted; what can be acknowledged by that."""
        self._log.settle(offset)
        return self._log.free()

    def free(self) -> list[T]:
        """What can be acknowledged now, in the order of the log: each stands for all before it."""
        return self._log.free()
