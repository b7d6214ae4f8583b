"""Tests of the trees: they give the same output for one row at a time and for many."""

from pathlib import Path

import numpy as np
import pytest
import xgboost

from catdog_stream.errors import StackError
from catdog_stream.models.stacks.head import Head
from catdog_stream.models.stacks.locate import default_stack

FEATURES = np.abs(np.random.default_rng(0).normal(0.3, 0.3, (50, 2048))).astype(np.float32)


def test_probabilities_are_probabilities_and_no_batch_changes_a_bit() -> None:
    head = Head(default_stack() / "head.ubj", 2048, 2)
    together = head.scores(FEATURES)
    assert together.shape == (50, 2)
    np.testing.assert_array_equal(together.sum(axis=1), 1)
    assert np.all((together > 0) & (together < 1))
    alone = np.concatenate([head.scores(row[np.newaxis]) for row in FEATURES])
    np.testing.assert_array_equal(alone, together)


def test_two_heads_of_one_file_agree() -> None:
    file = default_stack() / "head.ubj"
    np.testing.assert_array_equal(
        Head(file, 2048, 2).scores(FEATURES), Head(file, 2048, 2).scores(FEATURES)
    )


def test_trees_for_other_features_are_refused() -> None:
    with pytest.raises(StackError, match="2048 features, not 5"):
        Head(default_stack() / "head.ubj", 5, 2)


def test_trees_for_another_number_of_classes_are_refused(tmp_path: Path) -> None:
    data = xgboost.DMatrix(FEATURES, np.arange(50) % 3)
    parameters = {"objective": "multi:softprob", "num_class": 3, "nthread": 1}
    xgboost.train(parameters, data, 1).save_model(tmp_path / "three.ubj")
    scores = Head(tmp_path / "three.ubj", 2048, 3).scores(FEATURES)
    assert scores.shape == (50, 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-6)
    with pytest.raises(StackError, match="binary:logistic"):
        Head(tmp_path / "three.ubj", 2048, 2)
    with pytest.raises(StackError, match="3 classes, not 4"):
        Head(tmp_path / "three.ubj", 2048, 4)
    with pytest.raises(StackError, match="multi:softprob"):
        Head(default_stack() / "head.ubj", 2048, 3)


@pytest.mark.parametrize("content", [b"", b"no trees", b"{" * 1000])
def test_a_file_without_trees_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "head.ubj").write_bytes(content)
    with pytest.raises(StackError):
        Head(tmp_path / "head.ubj", 2048, 2)
    with pytest.raises(StackError):
        Head(tmp_path / "missing.ubj", 2048, 2)
