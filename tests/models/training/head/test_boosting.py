"""Tests of the trees: deterministic, and evaluated on pictures that were not in the training."""

import numpy as np
import pytest

from catdog_stream.models.training.head.boosting import fit, hold_out
from catdog_stream.models.training.head.features import VIEWS, Seen

FOLDS = [number % 5 for number in range(150)]


def seen(classes: int, *, told: bool) -> Seen:
    """Return pictures whose features tell their class, or are noise."""
    random = np.random.default_rng(0)
    labels = np.arange(150) // 5 % classes
    features = random.normal(0, 1, (150, VIEWS, 30)).astype(np.float32)
    if told:
        features[np.arange(150), :, labels] += 4
    return Seen(features, labels, [])


@pytest.mark.parametrize("classes", [2, 3])
def test_what_is_held_out_is_known_if_it_can_be(classes: int) -> None:
    told, noise = (
        hold_out(seen(classes, told=told), classes, FOLDS, threads=2, progress=False)
        for told in (True, False)
    )
    labels = seen(classes, told=True).labels
    assert told.logits.shape == (150, classes)
    assert np.mean(told.logits.argmax(axis=1) == labels) > 0.95
    # A head that was trained on these pictures would have learned the noise.
    assert np.mean(noise.logits.argmax(axis=1) == labels) < 1 / classes + 0.15
    assert noise.rounds < told.rounds / 2


def test_threads_change_no_bit() -> None:
    one, two = (
        hold_out(seen(3, told=True), 3, FOLDS, threads=threads, progress=False)
        for threads in (1, 2)
    )
    assert one.rounds == two.rounds
    np.testing.assert_array_equal(one.logits, two.logits)
    heads = [fit(seen(3, told=True), 3, one.rounds, progress=False).save_raw() for _ in range(2)]
    assert heads[0] == heads[1]
