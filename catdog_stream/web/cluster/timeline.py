"""The last hour of the whole cluster, added up as the workers tell of it."""

from collections.abc import Mapping

from catdog_stream.web.recording.history import HOUR_SLOTS, SLOT_SECONDS, Slot, added

__all__ = ["MAX_SLOTS", "Timeline"]

#: Slots of all workers together: an hour of some 270. What is beyond it is left out.
MAX_SLOTS = 100_000


class Timeline:
    """The slots of all workers, each worker's counted once however often it tells of them.

    Workers that are gone stay in it: what they answered was answered.
    """

    def __init__(self) -> None:
        self._told: dict[int, dict[str, Slot]] = {}
        #: How many slots these are.
        self._number = 0
        self._sums: dict[int, Slot] = {}

    def update(self, worker: str, slots: Mapping[int, Slot]) -> None:
        """What a worker tells of some slots, by when they begin: it replaces what it told."""
        for start, slot in slots.items():
            if start % SLOT_SECONDS:
                continue  # not of our making
            told = self._told.get(start, {})
            if worker not in told:
                if self._number >= MAX_SLOTS:
                    continue
                self._number += 1
            self._told.setdefault(start, told)[worker] = slot
            self._sums.pop(start, None)

    def latest(self, worker: str) -> int:
        """When the last slot begins that a worker has told of; 0 if none."""
        return max((start for start, told in self._told.items() if worker in told), default=0)

    def hour(self, now: float) -> Mapping[int, Slot]:
        """The sums of the last hour, by when they begin, the oldest first."""
        oldest = now - HOUR_SLOTS * SLOT_SECONDS
        for start in [each for each in self._told if not oldest <= each <= now + SLOT_SECONDS]:
            self._number -= len(self._told.pop(start))
            self._sums.pop(start, None)
        for start in self._told.keys() - self._sums.keys():
            self._sums[start] = added(self._told[start].values())
        return dict(sorted(self._sums.items()))
