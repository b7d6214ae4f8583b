"""Tests of a sample of the requests: every process chooses the same ones."""

import math
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.messages.wire import Source
from catdog_stream.pipeline.sampling import Sample

shares = st.floats(0, 1)
sources = st.builds(Source, st.just("catdogimage"), st.integers(0, 10_000), st.integers(0, 2**60))


@given(sources, shares, shares)
def test_who_is_in_a_share_is_in_every_larger_one(source: Source, a: float, b: float) -> None:
    small, large = sorted((a, b))
    assert source not in Sample(b"canary", small) or source in Sample(b"canary", large)


@given(sources)
def test_all_is_all_and_nothing_is_nothing(source: Source) -> None:
    assert source in Sample(b"canary", 1.0)
    assert source not in Sample(b"canary", 0.0)


@given(st.integers(0, 100), st.integers(0, 2**50), st.sampled_from([0.01, 0.1, 0.5, 0.9]))
def test_a_share_of_the_requests_that_follow_each_other_is_that_large(
    partition: int, first: int, share: float
) -> None:
    count = 2000
    sample = Sample(b"canary", share)
    chosen = sum(Source("catdogimage", partition, first + n) in sample for n in range(count))
    deviation = math.sqrt(count * share * (1 - share))
    assert abs(chosen - count * share) < 6 * deviation  # fails once in 500 million


def test_samples_for_different_purposes_have_nothing_to_do_with_each_other() -> None:
    sources = [Source("catdogimage", 0, offset) for offset in range(4000)]
    canary, shadow = Sample(b"canary", 0.5), Sample(b"shadow", 0.5)
    both = sum(source in canary and source in shadow for source in sources)
    assert abs(both - 1000) < 6 * math.sqrt(4000 * 0.25 * 0.75)


def test_another_process_chooses_the_same() -> None:
    """Compare with another process, where Python's own hash of a text differs."""
    program = (
        "from catdog_stream.pipeline.sampling import Sample;"
        "from catdog_stream.messages.wire import Source;"
        "print([n for n in range(99) if Source('t', 1, n) in Sample(b'canary', 0.2)])"
    )
    there = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    sample = Sample(b"canary", 0.2)
    assert there.strip() == str([n for n in range(99) if Source("t", 1, n) in sample])


def test_the_choice_is_the_same_in_every_version_of_this_program() -> None:
    sample = Sample(b"canary", 0.1)
    chosen = [n for n in range(80) if Source("catdogimage", 0, n) in sample]
    assert chosen == [12, 15, 45, 53, 55, 74]
