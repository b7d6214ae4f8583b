"""Tests of percentiles of times that are known only by their bins."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.web.recording.latency import BINS, bin_of, percentile

times = st.lists(st.floats(0.0011, 80), min_size=1, max_size=200)


def test_of_nothing_there_is_none() -> None:
    assert percentile({}, 0.5) is None


@given(times, st.sampled_from([0.5, 0.9, 0.99]))
def test_a_percentile_is_off_by_a_tenth_at_most(seconds: list[float], share: float) -> None:
    told = percentile(Counter(bin_of(each) for each in seconds), share)
    ranked = sorted(seconds)
    true = next(each for at, each in enumerate(ranked, 1) if at >= share * len(ranked))
    assert told is not None
    assert true / 1.101 <= told <= true * 1.101


def test_whatever_is_longer_than_all_bins_is_in_the_last_one() -> None:
    assert bin_of(1e9) == BINS - 1
