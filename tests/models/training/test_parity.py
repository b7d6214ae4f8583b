"""Tests of parity: two engines of one network agree; two networks do not."""

import numpy as np
import pytest

from catdog_stream.errors import StackError
from catdog_stream.models.training.parity import Parity

PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.55, 0.45], [0.3, 0.7]])


def test_the_difference_is_told() -> None:
    other = PROBABILITIES + np.array([[-0.1, 0.1], [0, 0], [-0.1, 0.1], [0, 0]])
    parity = Parity.of(PROBABILITIES, other)
    assert (parity.pictures, parity.largest, parity.mean) == (4, 0.1, 0.05)
    assert parity.agreement == 0.75


def test_eight_bits_pass_and_another_network_does_not() -> None:
    Parity.of(PROBABILITIES, PROBABILITIES[:, ::-1] * 0.02 + PROBABILITIES * 0.98).check()
    with pytest.raises(StackError, match=r"agree on 0\.0% of 4 pictures, .* apart on average"):
        Parity.of(PROBABILITIES, PROBABILITIES[:, ::-1]).check()
