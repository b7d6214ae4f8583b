"""Answers of the last hour, in slots of ten seconds that can be summed over workers."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import nlargest

from catdog_stream.web.recording.latency import bin_of

__all__ = ["HOUR_SLOTS", "OTHERS", "RECENT_SECONDS", "SLOT_SECONDS", "History", "Slot", "added"]

SLOT_SECONDS = 10
HOUR_SLOTS = 360
#: Length of "now" on the page.
RECENT_SECONDS = 10
#: Maximum number of labels in a slot that is kept or sent; further labels share ``OTHERS``.
MAX_LABELS = 24
OTHERS = "further labels"


@dataclass(slots=True)
class Slot:
    """Answers of some seconds."""

    labels: dict[str, int] = field(default_factory=dict)
    rejected: int = 0
    #: ``latency.bin_of`` to the number of answers with that latency.
    bins: dict[int, int] = field(default_factory=dict)

    @property
    def labelled(self) -> int:
        """Number of labelled requests."""
        return sum(self.labels.values())

    def note(self, label: str | None, seconds: float) -> None:
        """Count one answer: a label, or ``None`` for a rejection."""
        if label is None:
            self.rejected += 1
        else:
            self.labels[label] = self.labels.get(label, 0) + 1
        number = bin_of(seconds)
        self.bins[number] = self.bins.get(number, 0) + 1

    def add(self, other: "Slot") -> None:
        """Add the counts of ``other``."""
        self.rejected += other.rejected
        for label, count in other.labels.items():
            self.labels[label] = self.labels.get(label, 0) + count
        for number, count in other.bins.items():
            self.bins[number] = self.bins.get(number, 0) + count

    def limited(self) -> "Slot":
        """Return the slot with its most frequent labels, and the sum of the others."""
        if len(self.labels) <= MAX_LABELS:
            return self
        named = [item for item in self.labels.items() if item[0] != OTHERS]
        kept = dict(nlargest(MAX_LABELS, named, key=lambda item: item[1]))
        if rest := self.labelled - sum(kept.values()):
            kept[OTHERS] = rest
        return Slot(kept, self.rejected, self.bins)


def added(slots: Iterable[Slot]) -> Slot:
    """Return the sum of all slots, with the most frequent labels."""
    total = Slot()
    for slot in slots:
        total.add(slot)
    return total.limited()


class History:
    """Answers of one worker in the last hour, and in the last seconds.

    Args:
        clock: seconds since the epoch, so that slots start at the same times in every worker. If
            the clock goes back, the latest second continues.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._second = int(clock())
        self._now = Slot()
        #: Full seconds in the past, latest last; seconds without an answer are left out.
        self._seconds: deque[tuple[int, Slot]] = deque(maxlen=RECENT_SECONDS)
        self._slots: dict[int, Slot] = {}
        #: When the recording began, in seconds since the epoch.
        self.since = clock()

    def note(self, label: str | None, seconds: float) -> None:
        """Count one answer: a label, or ``None`` for a rejection, and its seconds."""
        if self._clock() >= self._second + 1:
            self._turn()
        self._now.note(label, seconds)

    def recent(self) -> Slot:
        """Return the answers of the last ``RECENT_SECONDS`` full seconds."""
        self._turn()
        first = self._second - RECENT_SECONDS
        return added(slot for second, slot in self._seconds if second >= first)

    def slots(self, since: int = 0) -> Mapping[int, Slot]:
        """Return the slots of the last hour with an answer, by start, from ``since`` on.

        The last slot may still grow.
        """
        self._turn()
        return {start: slot.limited() for start, slot in self._slots.items() if start >= since}

    def _turn(self) -> None:
        second = int(self._clock())
        if second <= self._second:
            return
        if self._now.bins:
            self._seconds.append((self._second, self._now))
            start = self._second - self._second % SLOT_SECONDS
            if self._slots and start not in self._slots:
                last = next(reversed(self._slots))
                self._slots[last] = self._slots[last].limited()
            self._slots.setdefault(start, Slot()).add(self._now)
            self._now = Slot()
        self._second = second
        oldest = second - HOUR_SLOTS * SLOT_SECONDS
        while self._slots and (first := next(iter(self._slots))) < oldest:
            del self._slots[first]
