"""Resident memory of a worker under load, in units of 2**20 bytes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from benchmarks.processes import memory_mb

__all__ = ["LoadedMemory"]

SAMPLE_SECONDS = 0.25


@dataclass
class LoadedMemory:
    """Samples that are taken while pictures are classified."""

    #: Number of pictures with an answer, and the memory at that time.
    samples: list[tuple[int, float]] = field(default_factory=list)

    async def watch(self, pid: int, answered: Callable[[], int]) -> None:
        """Take samples of a process until cancelled."""
        while True:
            self.samples.append((answered(), memory_mb(pid)))
            await asyncio.sleep(SAMPLE_SECONDS)

    @property
    def median(self) -> float:
        """Return the median size."""
        return median(memory for _, memory in self.samples)

    @property
    def peak(self) -> float:
        """Return the largest sample."""
        return max(memory for _, memory in self.samples)

    @property
    def slope(self) -> float:
        """Return the growth for each 1,000 pictures: a straight line through the second half.

        In the first half caches and pools still fill.
        """
        answered, memory = np.array(self.samples[len(self.samples) // 2 :]).T
        return float(np.polyfit(answered / 1000, memory, 1)[0])
