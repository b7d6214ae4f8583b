"""LiteRT with int8 weights and TensorFlow with float weights see the same in a picture."""

import numpy as np
import pytest

from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.stacks.stack import ModelStack
from tests.models.derived import derived_pictures

PICTURES = 200


@pytest.mark.slow
def test_litert_and_tensorflow_agree_on_200_pictures(stack: ModelStack) -> None:
    pictures = derived_pictures(PICTURES)
    reference = ModelStack.load(default_stack(), engine="tensorflow", threads=2, batch=4)
    expected = reference.classify(pictures)
    assert reference.classify(pictures[:1]) == expected[:1]
    found = stack.classify(pictures)
    difference = np.array(
        [a.scores["dog"] - b.scores["dog"] for a, b in zip(found, expected, strict=True)]
    )
    equal = np.mean([a.label == b.label for a, b in zip(found, expected, strict=True)])
    print(f"largest difference {np.abs(difference).max():.4f}, equal verdicts {equal:.1%}")
    assert np.abs(difference).max() < 0.15
    assert np.abs(difference).mean() < 0.01
    assert equal >= 0.99
