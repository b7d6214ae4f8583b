"""Tests of the trees: deterministic, with fewer rounds where there is less to learn."""

from pathlib import Path

import numpy as np

from catdog_stream.models.training.head.boosting import BoostedLearner
from catdog_stream.models.training.head.held_out import forget
from tests.models.training.head.seen import FOLDS, seen


def test_noise_needs_fewer_rounds() -> None:
    learner = BoostedLearner(2, threads=2, progress=False)
    told, noise = (learner.hold_out(seen(2, told=told), FOLDS, forget) for told in (True, False))
    assert noise.setting < told.setting / 2


def test_threads_change_no_bit(tmp_path: Path) -> None:
    learners = [BoostedLearner(2, threads=threads, progress=False) for threads in (1, 2)]
    one, two = (learner.hold_out(seen(2, told=True), FOLDS, forget) for learner in learners)
    assert one.setting == two.setting
    np.testing.assert_array_equal(one.logits, two.logits)
    heads = []
    for learner in learners:
        learner.write(seen(2, told=True), one.setting, tmp_path)
        heads.append((tmp_path / "head.ubj").read_bytes())
    assert heads[0] == heads[1]
