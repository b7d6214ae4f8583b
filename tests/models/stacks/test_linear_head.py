"""Tests of linear heads: no batch changes a bit, and damaged files are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from catdog_stream.errors import StackError
from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.head import Head
from catdog_stream.models.stacks.linear_head import LinearModel

FEATURES = 1280


def weights(classes: int, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.1, (classes, FEATURES)).astype(np.float32)


def written(file: Path, classes: int) -> Path:
    LinearModel(weights(classes), np.arange(classes, dtype=np.float32) / classes).save(file)
    return file


@pytest.mark.parametrize("classes", [2, 3, 200, 1000])
def test_no_batch_changes_a_bit(tmp_path: Path, classes: int) -> None:
    random = np.random.default_rng(1)
    rows = np.abs(random.normal(0.3, 0.3, (33, FEATURES))).astype(np.float32)
    calibration = Calibration(0.9, tuple(random.normal(0, 0.1, classes).tolist()))
    for given in (None, calibration):
        head = Head(written(tmp_path / "head.npz", classes), FEATURES, classes, given)
        alone = np.concatenate([head.scores(row[np.newaxis]) for row in rows])
        assert alone.shape == (33, classes)
        np.testing.assert_allclose(alone.sum(axis=1), 1)
        np.testing.assert_array_equal(head.scores(rows), alone)
        order = random.permutation(33)
        np.testing.assert_array_equal(head.scores(rows[order]), alone[order])
        apart = np.asfortranarray(rows)  # features of a row that lie apart in memory
        np.testing.assert_array_equal(head.scores(apart), alone)
        odd = np.zeros(4 * FEATURES + 4, np.uint8)[4:].view(np.float32)  # not aligned for vectors
        odd[:] = rows[7]
        np.testing.assert_array_equal(head.scores(odd[np.newaxis])[0], alone[7])


def test_the_logits_are_those_of_the_weights(tmp_path: Path) -> None:
    rows = np.random.default_rng(2).random((5, FEATURES), np.float32)
    head = Head(written(tmp_path / "head.npz", 3), FEATURES, 3)
    expected = rows.astype(np.float64) @ weights(3).T.astype(np.float64) + np.arange(3) / 3
    np.testing.assert_allclose(head.logits(rows), expected, atol=1e-5)


def test_the_same_weights_give_the_same_file(tmp_path: Path) -> None:
    one, two = (written(tmp_path / name, 3).read_bytes() for name in ("one.npz", "two.npz"))
    assert one == two


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"weights": weights(2), "bias": np.zeros(3, np.float32)}, "not for 3 classes of 1280"),
        ({"weights": weights(3)[:, 1:], "bias": np.zeros(3, np.float32)}, "not for 3 classes"),
        ({"weights": weights(3).T, "bias": np.zeros(3, np.float32)}, "not for 3 classes"),
        ({"weights": weights(3), "bias": np.zeros((3, 1), np.float32)}, "not for 3 classes"),
        ({"weights": weights(3), "bias": np.array([0, 0, np.nan])}, "infinite, or none"),
        ({"weights": weights(3), "bias": np.zeros(3, int)}, "cannot be read as arrays"),
        ({"weights": weights(3), "bias": np.array([{}] * 3)}, "cannot be read as arrays"),
        ({"weights": weights(3)}, "cannot be read as arrays"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    tmp_path: Path, arrays: dict[str, Any], why: str
) -> None:
    np.savez(tmp_path / "head.npz", **arrays)
    with pytest.raises(StackError, match=why):
        Head(tmp_path / "head.npz", FEATURES, 3)


@pytest.mark.parametrize("content", [b"", b"no arrays", b"PK\x03\x04 and no more"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "head.npz").write_bytes(content)
    with pytest.raises(StackError, match="cannot be read as arrays of numbers"):
        Head(tmp_path / "head.npz", FEATURES, 3)
    with pytest.raises(StackError):
        Head(tmp_path / "missing.npz", FEATURES, 3)
