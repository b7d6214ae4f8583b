"""What was answered in the last hour, in slots of ten seconds that add up over workers."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from catdog_stream.web.recording.latency import bin_of

__all__ = ["HOUR_SLOTS", "OTHERS", "RECENT_SECONDS", "SLOT_SECONDS", "History", "Slot", "added"]

SLOT_SECONDS = 10
HOUR_SLOTS = 360
#: What "now" means on the page.
RECENT_SECONDS = 10
#: Different labels in one slot; further ones share a name.
MAX_LABELS = 24
OTHERS = "others"


@dataclass(slots=True)
class Slot:
    """What was answered in some seconds."""

    labels: dict[str, int] = field(default_factory=dict)
    rejected: int = 0
    #: ``latency.bin_of`` to how many answers took so long.
    bins: dict[int, int] = field(default_factory=dict)

    @property
    def labelled(self) -> int:
        """How many requests were labelled."""
        return sum(self.labels.values())

    def note(self, label: str | None, seconds: float) -> None:
        """Count one answer: a label, or ``None`` for a rejection."""
        if label is None:
            self.rejected += 1
        else:
            self._count(label, 1)
        number = bin_of(seconds)
        self.bins[number] = self.bins.get(number, 0) + 1

    def add(self, other: "Slot") -> None:
        """Count all that ``other`` has."""
        self.rejected += other.rejected
        for label, count in other.labels.items():
            self._count(label, count)
        for number, count in other.bins.items():
            self.bins[number] = self.bins.get(number, 0) + count

    def _count(self, label: str, count: int) -> None:
        if label not in self.labels and len(self.labels) >= MAX_LABELS:
            label = OTHERS
        self.labels[label] = self.labels.get(label, 0) + count


def added(slots: Iterable[Slot]) -> Slot:
    """All of them in one."""
    total = Slot()
    for slot in slots:
        total.add(slot)
    return total


class History:
    """The last hour of one worker, and its last seconds.

    Args:
        clock: seconds since the epoch: slots begin at the same times in every worker. Where it
            goes back, the second that was reached goes on.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._second = int(clock())
        self._now = Slot()
        #: Whole seconds that have passed, the latest last; those without an answer are left out.
        self._seconds: deque[tuple[int, Slot]] = deque(maxlen=RECENT_SECONDS)
        self._slots: dict[int, Slot] = {}
        #: When this one began, in seconds since the epoch.
        self.since = clock()

    def note(self, label: str | None, seconds: float) -> None:
        """Count one answer: a label, or ``None`` for a rejection, and how long it took."""
        if self._clock() >= self._second + 1:
            self._turn()
        self._now.note(label, seconds)

    def recent(self) -> Slot:
        """What was answered in the last ``RECENT_SECONDS`` whole seconds."""
        self._turn()
        first = self._second - RECENT_SECONDS
        return added(slot for second, slot in self._seconds if second >= first)

    def slots(self, since: int = 0) -> Mapping[int, Slot]:
        """The slots of the last hour that had an answer, by when they begin, from ``since`` on.

        The last one may still grow.
        """
        self._turn()
        return {start: slot for start, slot in self._slots.items() if start >= since}

    def _turn(self) -> None:
        second = int(self._clock())
        if second <= self._second:
            return
        if self._now.bins:
            self._seconds.append((self._second, self._now))
            start = self._second - self._second % SLOT_SECONDS
            self._slots.setdefault(start, Slot()).add(self._now)
            self._now = Slot()
        self._second = second
        oldest = second - HOUR_SLOTS * SLOT_SECONDS
        while self._slots and (first := next(iter(self._slots))) < oldest:
            del self._slots[first]
