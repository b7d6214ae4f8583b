"""Tests of the whole system under random faults, for a few minutes; ``make chaos`` takes longer."""

import os
from pathlib import Path

import pytest

from tests.chaos.lane import Happened
from tests.chaos.pictures import requests_for
from tests.chaos.report import table
from tests.chaos.runner import run

MINUTES = float(os.environ.get("CATDOG_TEST_CHAOS_MINUTES", "2"))
SEED = int(os.environ.get("CATDOG_TEST_SEED", "0"))


def test_the_longest_wait_is_told_of_each_fault_that_was_there() -> None:
    lines = table(
        [Happened("stall", 10, 20), Happened("kill", 15, 16), Happened("late", 100, 101)],
        confirmed={"a": 9.0, "b": 12.0, "c": 15.5, "d": 60.0},
        answered={"a": 9.5, "b": 32.0, "c": 16.0, "d": 90.0},
    )
    _, kill, late, stall = (line.split() for line in lines)
    assert kill == ["kill", "1", "1", "0.5"]
    assert late == ["late", "1", "0", "0.0"]
    assert stall == ["stall", "1", "2", "20.0"]


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(
    ("topology", "share"), [("workers", 0.4), ("classes", 0.3), ("voting", 0.3)]
)
def test_nothing_is_lost_and_nothing_is_counted_twice(
    tmp_path: Path, topology: str, share: float
) -> None:
    seconds = 60 * share * MINUTES
    findings = run(
        tmp_path, requests_for(topology), topology=topology, seed=SEED, seconds=seconds, tell=print
    )
    assert not findings.broken
    assert findings.requests
