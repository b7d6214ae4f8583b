"""Rates of a group, and the age of a record, from the offsets that its lag is computed from.

The end and the committed offset of a partition at two moments give the rates at which requests
arrive and are answered in the whole cluster, independent of the partition's owner. Older samples
are thinned out, so that a day fits: a sample between two others is at most ``SPARSE`` of its age
away from them.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["GroupFlow", "Positions", "Rates"]

#: Longest and shortest time in seconds that a rate is computed over.
WINDOW = 20.0
SHORTEST = 3.9
#: Age in seconds above which the latest sample is too old to use.
FRESH = 10.0
#: Time in seconds for which samples are kept.
KEEP = 24 * 3600.0
SPARSE = 0.15
#: Largest number of partitions in all samples together.
MOST = 20_000
#: Number of samples that are kept in any case.
LEAST_LOOKS = 15


class Positions(NamedTuple):
    """Offsets of one partition."""

    #: The committed offset: all records in front of it are answered.
    committed: int
    #: The offset of the next record.
    end: int
    #: The end of the readable records: those of an open transaction cannot be read yet.
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
    """Flow of a topic, from samples of its offsets.

    The consumer's thread writes, and any thread reads.

    Args:
        clock: monotonic time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: Samples, the latest first; replaced as a whole.
        self._looks: Sequence[_Look] = ()
        #: Time since which requests wait and none is answered; ``None`` if none waits.
        self._stalled_since: float | None = None

    def note(self, began: float, positions: Mapping[int, Positions]) -> None:
        """Add the offsets of the partitions, as the brokers stated them after ``began``."""
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
        """Time in seconds for which requests wait and none is answered; 0 if it is unknown."""
        since = self._stalled_since
        if since is None or not self._recent_looks():
            return 0.0
        return max(0.0, self._clock() - since)

    def _recent_looks(self) -> Sequence[_Look]:
        """Return all samples, the latest first; none if the latest is too old to use."""
        looks = self._looks
        return looks if looks and looks[0].began >= self._clock() - FRESH else ()

    def rates(self) -> Rates | None:
        """Return the rates over the last ``WINDOW`` seconds; ``None`` while they are unknown."""
        looks = self._recent_looks()
        if not looks:
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

    def growth(self) -> float | None:
        """Return the change of the number of waiting requests, per second; ``None`` if unknown.

        It is computed over the shortest time, because the rates keep a burst for ``WINDOW``.
        """
        looks = self._recent_looks()
        if not looks:
            return None
        last = looks[0]
        first = next((each for each in looks[1:] if last.began - each.began >= SHORTEST), None)
        if first is None or last.began - first.began > WINDOW:
            return None
        both = last.positions.keys() & first.positions.keys()
        change = sum(_waiting(last.positions[n]) - _waiting(first.positions[n]) for n in both)
        return change / (last.began - first.began)

    def age(self, partition: int, offset: int, claimed: float | None) -> float | None:
        """Return the seconds since a record arrived.

        A producer may set any time on a record. The time counts within the bounds that the samples
        give: the record lies behind the end of each sample before its arrival, and in front of the
        end of each later sample.

        Args:
            partition: partition of the record.
            offset: offset of the record.
            claimed: seconds since the time that the record states; ``None`` without a time.

        Returns:
            ``None`` if the age is unknown: the record has no time, or one more than ``KEEP`` ago,
            and no sample is older than its arrival.
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
        """Return the age that a time states; ``None`` if it is implausible, 0 if in the future."""
        return None if claimed is None or claimed > KEEP else max(0.0, claimed)


def _waiting(at: Positions) -> int:
    return max(0, at.readable - at.committed)


def _thinned(looks: Sequence[_Look], now: float) -> tuple[_Look, ...]:
    """Remove samples whose neighbours are close to each other in relation to their age."""
    fitting = max(LEAST_LOOKS, MOST // max(1, len(looks[0].positions)))
    kept = [looks[0]]
    for number, look in enumerate(looks[1:], 1):
        if now - look.began > KEEP:
            break
        older = looks[number + 1] if number + 1 < len(looks) else None
        if older is None or kept[-1].began - older.began > SPARSE * (now - older.began):
            kept.append(look)
    return tuple(kept[:fitting])
