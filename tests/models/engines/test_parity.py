"""Tests that LiteRT in eight bits and TensorFlow in float agree on a picture."""

from pathlib import Path

import numpy as np
import pytest

from catdog_stream.models.stacks.locate import shipped_stacks
from catdog_stream.models.stacks.stack import ModelStack
from tests.models.derived import derived_pictures

PICTURES = 200


@pytest.mark.long
@pytest.mark.parametrize("directory", list(shipped_stacks()), ids=lambda directory: directory.name)
def test_litert_and_tensorflow_agree_on_200_pictures(directory: Path) -> None:
    stack = ModelStack.load(directory, engine="litert", threads=2)
    reference = ModelStack.load(directory, engine="tensorflow", threads=2, batch=4)
    pictures = derived_pictures(PICTURES, stack.preprocessing.size)
    expected = reference.classify(pictures)
    assert reference.classify(pictures[:1]) == expected[:1]
    found = stack.classify(pictures)
    stack.close()
    ours, theirs = (np.array([each.scores["dog"] for each in all_]) for all_ in (found, expected))
    difference = ours - theirs
    equal = np.mean((ours > 0.5) == (theirs > 0.5))
    print(
        f"largest difference {np.abs(difference).max():.4f}, "
        f"mean {np.abs(difference).mean():.4f}, equal verdicts {equal:.1%}"
    )
    assert np.abs(difference).max() < 0.15
    assert np.abs(difference).mean() < 0.01
    assert equal >= 0.99
