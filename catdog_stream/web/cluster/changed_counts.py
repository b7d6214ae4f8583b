"""Counts that have changed since another worker asked last; thousands of names change rarely."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from catdog_stream.web.cluster.state import WorkerState

__all__ = ["ChangedCounts"]

MAX_DIGITS = 15


@dataclass(slots=True)
class _Place:
    """Counts of one partition, and the number of the report in which each changed last."""

    counts: Mapping[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    latest: int = 0

    def update(self, counts: Mapping[str, int], number: int) -> None:
        before = self.counts
        if counts is not before:  # a table replaces the counts that it changes
            self.changed |= {name: number for name, _ in counts.items() ^ before.items()}
            self.counts, self.latest = counts, number

    def since(self, number: int) -> dict[str, int]:
        if self.latest <= number:
            return {}
        names = (name for name, changed in self.changed.items() if changed > number)
        return {name: self.counts.get(name, 0) for name in names}


class ChangedCounts:
    """Counts of this worker, of which each other worker gets those that it does not know."""

    def __init__(self) -> None:
        self._report, self._number = secrets.token_hex(8), 0
        self._classes: tuple[str, ...] = ()
        self._places: dict[tuple[str, str], _Place] = {}

    def since(self, counted: str, state: WorkerState) -> tuple[WorkerState, str, bool]:
        """Return ``state`` with the counts that changed since the report ``counted``.

        Also return the name of this report, and ``True`` if unchanged counts, and the classes, are
        left out. The other worker must know the counts of the report from this worker.
        """
        if state.shards is None:
            return state, "", False
        if self._classes != (classes := tuple(state.classes)):
            self._report, self._classes = secrets.token_hex(8), classes
        self._number += 1
        report, _, number = counted.partition("-")
        known = report == self._report and len(number) <= MAX_DIGITS and number.isdecimal()
        shards: dict[str, dict[str, dict[str, int]]] = {table: {} for table in state.shards}
        for table, places in state.shards.items():
            for name, counts in places.items():
                place = self._places.setdefault((table, name), _Place())
                place.update(counts, self._number)
                shards[table][name] = place.since(int(number) if known else 0)
        changed_state = replace(state, shards=shards, classes=() if known else classes)
        return changed_state, f"{self._report}-{self._number}", known
