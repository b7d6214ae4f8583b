"""Last hour of the whole cluster, summed over the workers."""

from collections.abc import Mapping

from catdog_stream.web.recording.history import HOUR_SLOTS, SLOT_SECONDS, Slot, added

__all__ = ["MAX_SLOTS", "Timeline"]

#: Maximum number of slots of all workers: an hour of about 270 workers. Further slots are dropped.
MAX_SLOTS = 100_000


class Timeline:
    """Slots of all workers; repeated reports of a slot count once.

    Slots of workers that have left stay: their answers were given.
    """

    def __init__(self) -> None:
        self._slots: dict[int, dict[str, Slot]] = {}
        #: Number of slots of all workers.
        self._number = 0
        self._sums: dict[int, Slot] = {}

    def update(self, worker: str, slots: Mapping[int, Slot]) -> None:
        """Replace slots of a worker; ``slots`` are by their start."""
        for start, slot in slots.items():
            if start % SLOT_SECONDS:
                continue  # no worker of this application sends it
            of_workers = self._slots.get(start, {})
            if worker not in of_workers:
                if self._number >= MAX_SLOTS:
                    continue
                self._number += 1
            self._slots.setdefault(start, of_workers)[worker] = slot
            self._sums.pop(start, None)

    def latest(self, worker: str) -> int:
        """Return the start of a worker's last slot; 0 if there is none."""
        return max(
            (start for start, of_workers in self._slots.items() if worker in of_workers), default=0
        )

    def hour(self, now: float) -> Mapping[int, Slot]:
        """Return the sums of the last hour by slot start, oldest first."""
        oldest = now - HOUR_SLOTS * SLOT_SECONDS
        for start in [each for each in self._slots if not oldest <= each <= now + SLOT_SECONDS]:
            self._number -= len(self._slots.pop(start))
            self._sums.pop(start, None)
        for start in self._slots.keys() - self._sums.keys():
            self._sums[start] = added(self._slots[start].values())
        return dict(sorted(self._sums.items()))
