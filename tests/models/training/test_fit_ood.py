"""Tests of fitting the OOD score of a stack."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from catdog_stream.errors import InputError
from catdog_stream.models.engines.backbone import Features
from catdog_stream.models.stacks.ood import Familiarity
from catdog_stream.models.training.fit_ood import (
    FAMILIARITY_FILE,
    LEAST_PICTURES,
    fit_score,
)

FEATURES = 64
Labels = npt.NDArray[np.intp]


def pictures(count: int, classes: int, seed: int) -> tuple[Features, Labels]:
    """Return features as of a network: none negative, each class with some of its own."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    features = random.gamma(1, 0.2, (count, FEATURES))
    for number in range(classes):
        features[labels == number, 5 * number : 5 * number + 5] += random.gamma(9, 0.1, (1, 5))
    return features.astype(np.float32), labels


def familiarity(folder: Path, classes: int) -> Familiarity:
    return Familiarity.load(folder / FAMILIARITY_FILE, FEATURES, classes)


@pytest.mark.parametrize("classes", [2, 7])
def test_of_new_pictures_as_many_are_unknown_as_the_threshold_says(
    tmp_path: Path, classes: int
) -> None:
    features, labels = pictures(4000, classes, seed=0)
    fitted = fit_score(features[:2000], labels[:2000], tmp_path, threshold=0.1)
    assert (fitted.section.threshold, fitted.section.pictures) == (0.1, 2000)
    found = familiarity(tmp_path, classes).of(features[2000:])
    assert np.mean(found < 0.1) == pytest.approx(0.1, abs=0.03)
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


def test_what_is_none_of_the_classes_looks_less_familiar(tmp_path: Path) -> None:
    features, labels = pictures(2000, 3, seed=0)
    fit_score(features, labels, tmp_path)
    other = pictures(500, 1, seed=1)[0][:, ::-1]
    assert np.mean(familiarity(tmp_path, 3).of(other)) < 0.05


def test_the_same_pictures_give_the_same_file(tmp_path: Path) -> None:
    features, labels = pictures(200, 2, seed=0)
    parts = [fit_score(features, labels, tmp_path).part for _ in range(2)]
    assert parts[0] == parts[1]


def test_pictures_that_are_all_the_same_can_be_learned_from(tmp_path: Path) -> None:
    features, labels = np.ones((LEAST_PICTURES, FEATURES), np.float32), np.arange(100) % 2
    fit_score(features, labels, tmp_path)
    assert familiarity(tmp_path, 2).of(features[:1])[0] >= 0


@pytest.mark.parametrize("labels", [[0, 1] * 49, [0] * 200 + [1] * 4, [0] * 200 + [2] * 200])
def test_too_few_pictures_to_tell_are_refused(tmp_path: Path, labels: list[int]) -> None:
    with pytest.raises(InputError, match="are too few to find"):
        fit_score(np.ones((len(labels), 4), np.float32), np.array(labels), tmp_path)
    assert not any(tmp_path.iterdir())
