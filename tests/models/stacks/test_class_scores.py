"""Tests of the scores of complete classifiers: probabilities, or what the worker rejects."""

from typing import Any

import numpy as np
import pytest

from catdog_stream.errors import RejectedRequest
from catdog_stream.models.checked_verdicts import checked_verdicts
from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.class_scores import ClassScores
from catdog_stream.models.verdict import Verdict


def rows(*values: list[float]) -> Any:
    return np.array(values, np.float32)


def test_logits_of_any_size_become_probabilities() -> None:
    found = ClassScores("logits", 3).scores(rows([1, 2, 3], [-1e4, 0, 1e4], [3e38, 0, -3e38]))
    np.testing.assert_allclose(found[0], np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum())
    assert found[1].tolist() == [0, 0, 1]
    assert found[2].tolist() == [1, 0, 0]


def test_a_single_score_is_that_of_the_second_class() -> None:
    found = ClassScores("logits", 2).scores(rows([0], [2], [-500]))
    np.testing.assert_allclose(found[:, 1], [0.5, 1 / (1 + np.exp(-2)), 0], atol=1e-12)
    found = ClassScores("probabilities", 2).scores(rows([0.25]))
    np.testing.assert_allclose(found, [[0.75, 0.25]])


def test_features_beside_the_scores_change_nothing() -> None:
    found = ClassScores("logits", 2, features=2).scores(rows([0, 0, 7, 8]))
    assert found.tolist() == [[0.5, 0.5]]


def test_calibration_changes_logits_and_probabilities_alike() -> None:
    calibration = Calibration(0.5, (0.0, 0.25, 0.0))
    logits = rows([1, 2, 3], [0, -4, 4])
    plain = ClassScores("logits", 3).scores(logits)
    expected = ClassScores("logits", 3, calibration=calibration).scores(logits)
    probabilities = ClassScores("probabilities", 3, calibration=calibration)
    found = probabilities.scores(plain.astype(np.float32))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found - plain).max() > 0.1


def test_quantized_probabilities_are_made_to_add_up() -> None:
    rounded = rows([0.5, 0.0, 0.25, 0.24])
    found = ClassScores("probabilities", 4, step=1 / 256).scores(rounded)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("values", [
    [np.nan, 0.5, 0.5], [np.inf, 0, 0], [0.9, 0.9, 0.1], [-0.2, 0.6, 0.6], [0, 0, 0],
    [2, -0.5, -0.5],
])  # fmt: skip
@pytest.mark.parametrize("calibration", [None, Calibration.none(3)])
def test_what_is_no_probability_is_a_bad_verdict_for_its_picture_alone(
    values: list[float], calibration: Calibration | None
) -> None:
    scores = ClassScores("probabilities", 3, calibration=calibration)
    bad, good = scores.scores(rows(values, [0.2, 0.3, 0.5])).tolist()

    def checked(probabilities: list[float]) -> list[Verdict]:
        verdict = Verdict(dict(zip("abc", probabilities, strict=True)), "any 1")
        return checked_verdicts([verdict], 1, "abc")

    assert len(checked(good)) == 1
    with pytest.raises(RejectedRequest, match="The model gave"):
        checked(bad)


@pytest.mark.parametrize("values", [[np.nan, 0, 0], [np.inf, np.inf, 0], [np.inf, 0, 0]])
def test_logits_that_are_not_finite_are_no_probabilities(values: list[float]) -> None:
    found = ClassScores("logits", 3).scores(rows(values))
    assert np.isnan(found).any()
