"""Tests of likely label errors: pictures that were moved to another folder are found."""

from pathlib import Path

import numpy as np

from catdog_stream.models.training.label_errors import LabelError, likely_label_errors
from catdog_stream.models.training.labelled import LabelledFile


def files(labels: list[int]) -> list[LabelledFile]:
    return [LabelledFile(Path(str(number)), label) for number, label in enumerate(labels)]


def test_a_verdict_that_reaches_the_mean_of_its_class_is_an_error() -> None:
    labels = [0, 0, 0, 1, 1, 1]
    cat = np.array([0.9, 0.8, 0.1, 0.3, 0.2, 0.8])  # thresholds: cat 0.6, dog 0.567
    probabilities = np.stack((cat, 1 - cat), axis=1)
    found = likely_label_errors(files(labels), np.array(labels), probabilities)
    assert [each.file.path.name for each in found] == ["2", "5"]
    assert found[0] == LabelError(LabelledFile(Path("2"), 0), 1, 0.9, 0.1)


def test_a_mistake_below_the_mean_of_the_class_is_no_label_error() -> None:
    labels = [0, 0, 1, 1]
    cat = np.array([0.95, 0.9, 0.6, 0.05])
    probabilities = np.stack((cat, 1 - cat), axis=1)
    assert likely_label_errors(files(labels), np.array(labels), probabilities) == []


def test_moved_pictures_among_many_are_found() -> None:
    random = np.random.default_rng(0)
    truth = np.arange(1000) % 20
    probabilities = 0.7 * np.eye(20)[truth] + 0.3 * random.dirichlet(np.ones(20), 1000)
    moved = random.choice(1000, 30, replace=False)
    labels = truth.copy()
    labels[moved] = (truth[moved] + 7) % 20
    found = likely_label_errors(files(labels.tolist()), labels, probabilities)
    names = {int(each.file.path.name) for each in found}
    assert len(names) > 15  # about half of them reach the mean of their class
    assert names <= {*moved.tolist()}
