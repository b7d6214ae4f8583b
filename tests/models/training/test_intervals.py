"""Tests of intervals, against numbers from the literature and from a simulation."""

import numpy as np
import pytest

from catdog_stream.models.training.intervals import as_text, mean_interval, share_interval


def test_the_interval_of_a_share_is_that_of_wilson() -> None:
    assert share_interval(9, 10) == pytest.approx((0.596, 0.982), abs=1e-3)
    assert share_interval(10, 10)[1] == 1.0
    assert share_interval(0, 10)[0] == 0.0
    assert as_text(share_interval(9, 10)) == "59.6% to 98.2%"


def test_the_interval_of_a_mean_holds_it_95_times_of_100() -> None:
    random = np.random.default_rng(0)
    samples = random.exponential(0.1, (2000, 400))
    ends = [mean_interval(sample) for sample in samples]
    assert np.mean([low <= 0.1 <= high for low, high in ends]) == pytest.approx(0.95, abs=0.02)
