"""Rates of a group, and when a record arrived, by the offsets that its lag is made of.

The end of a partition and the committed offset, each at two moments, give how many requests per
second arrive and are answered in the whole cluster, whoever owns the partition. Older looks are
kept ever more sparsely, so that a day fits: where a look lies between two others, it is at most
``SPARSE`` of its age away from them.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["GroupFlow", "Positions", "Rates"]

#: Seconds that a rate is taken over, and the fewest.
WINDOW = 20.0
SHORTEST = 3.9
#: A look that is older is no news.
FRESH = 10.0
#: Seconds for which looks are kept.
KEEP = 24 * 3600.0
SPARSE = 0.15
#: Partitions in all looks together.
MOST = 20_000
#: Looks that are kept whatever they hold.
LEAST_LOOKS = 15


class Positions(NamedTuple):
    """Offsets of one partition."""

    #: The committed one, before which all are answered.
    committed: int
    #: That of the next record.
    end: int
    #: The end of what can be read: an open transaction keeps the rest from it.
    readable: int


class Rates(NamedTuple):
    """Requests per second of the whole group."""

    arriving: float
    answered: float


@dataclass(frozen=True, slots=True)
class _Look:
    began: float
    ended: float
    positions: Mapping[int, Positions]


class GroupFlow:
    """What the looks at a topic tell of its flow.

    The consumer's thread writes, and any thread reads.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: The newest first; replaced as a whole.
        self._looks: Sequence[_Look] = ()
        #: Since when requests wait and none is answered; ``None`` where none waits.
        self._stalled_since: float | None = None

    def note(self, began: float, positions: Mapping[int, Positions]) -> None:
        """Take the offsets of the partitions, as the brokers stated them after ``began``."""
        look = _Look(began, self._clock(), positions)
        self._note_progress(look)
        self._looks = _thinned((look, *self._looks), began)

    def _note_progress(self, look: _Look) -> None:
        before = self._looks[0].positions if self._looks else {}
        waits = any(each.readable > each.committed for each in look.positions.values())
        moved = any(
            each.committed > before[number].committed
            for number, each in look.positions.items()
            if number in before
        )
        if not waits:
            self._stalled_since = None
        elif moved or self._stalled_since is None:
            self._stalled_since = look.began

    @property
    def stalled(self) -> float:
        """Seconds for which requests have waited and none was answered; 0 where it is unknown."""
        looks, since, now = self._looks, self._stalled_since, self._clock()
        if since is None or not looks or looks[0].began < now - FRESH:
            return 0.0
        return max(0.0, now - since)

    def rates(self) -> Rates | None:
        """Return the rates over the last ``WINDOW`` seconds; ``None`` while they are unknown."""
        looks = self._looks
        if not looks or looks[0].began < self._clock() - FRESH:
            return None
        last = looks[0]
        window = [each for each in looks[1:] if last.began - each.began <= WINDOW]
        if not window or last.began - window[-1].began < SHORTEST:
            return None
        arrived = answered = 0.0
        for number, now in last.positions.items():
            first = next((each for each in reversed(window) if number in each.positions), None)
            if first is None:
                continue
            then, seconds = first.positions[number], last.began - first.began
            arrived += max(0, now.end - then.end) / seconds
            answered += max(0, now.committed - then.committed) / seconds
        return Rates(arrived, answered)

    def age(self, partition: int, offset: int, claimed: float | None) -> float | None:
        """Return the seconds since a record arrived.

        A producer may set the time of a record to anything. It counts as far as the ends of the
        partition allow: the record lies behind the end of each look before it arrived, and before
        that of each look afterwards.

        Args:
            partition: of the record.
            offset: of the record.
            claimed: seconds since the time that the record states; ``None`` without one.

        Returns:
            ``None`` where nothing is known: no time, or one more than ``KEEP`` ago, and no look
            before the record arrived.
        """
        now = self._clock()
        least, most = 0.0, math.inf
        for look in self._looks:
            at = look.positions.get(partition)
            if at is None:
                continue
            if at.end <= offset:
                most = now - look.began
                break
            least = now - look.ended
        believed = self.believed(claimed)
        if believed is None:
            return most if math.isfinite(most) else least or None
        return min(max(believed, least), max(most, least))

    @staticmethod
    def believed(claimed: float | None) -> float | None:
        """Return the age that a time states; ``None`` where it is absurd, 0 in the future."""
        return None if claimed is None or claimed > KEEP else max(0.0, claimed)


def _thinned(looks: Sequence[_Look], now: float) -> tuple[_Look, ...]:
    """Leave out looks whose neighbours are close to each other, for their age."""
    fitting = max(LEAST_LOOKS, MOST // max(1, len(looks[0].positions)))
    kept = [looks[0]]
    for number, look in enumerate(looks[1:], 1):
        if now - look.began > KEEP:
            break
        older = looks[number + 1] if number + 1 < len(looks) else None
        if older is None or kept[-1].began - older.began > SPARSE * (now - older.began):
            kept.append(look)
    return tuple(kept[:fitting])
