"""Tests of the figures of memory under load."""

import pytest

from benchmarks.memory import LoadedMemory


def test_the_slope_leaves_out_the_time_in_which_caches_fill() -> None:
    filling = [(answered, 200.0 + answered / 10) for answered in range(0, 1000, 100)]
    growing = [(answered, 300.0 + 2 * answered / 1000) for answered in range(1000, 2000, 100)]
    assert LoadedMemory(filling + growing).slope == pytest.approx(2.0)


def test_a_single_peak_is_told_and_does_not_change_the_usual_size() -> None:
    memory = LoadedMemory([(0, 300.0), (100, 300.0), (200, 390.0), (300, 300.0)])
    assert (memory.median, memory.peak) == (300.0, 390.0)
