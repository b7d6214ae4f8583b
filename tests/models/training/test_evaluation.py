"""Tests of metrics, against numbers calculated by hand, and of an evaluation of real pictures."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image

from catdog_stream.errors import InputError
from catdog_stream.models.ensembles.voting import Member, VotingClassifier
from catdog_stream.models.stacks.locate import samples
from catdog_stream.models.stacks.reference import Reference
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.training.evaluation import (
    Answers,
    Mistake,
    Probabilities,
    accuracy,
    ask,
    calibration_error,
    confusion,
    evaluate,
    log_loss,
    measure,
    most_confused,
)
from catdog_stream.models.training.labelled import LabelledFile, labelled_files
from catdog_stream.models.verdict import Verdict
from catdog_stream.testing import InstantClassifier
from tests.support.stacks import DEFAULT, add


def probabilities(dog: list[float]) -> Probabilities:
    """Return the probabilities of cat and dog, where ``dog`` has the dog's."""
    return np.stack((1 - np.array(dog), np.array(dog)), axis=1)


LABELS = np.array([1, 1, 0, 0])
PROBABILITIES = probabilities([0.9, 0.4, 0.2, 0.1])


def test_accuracy_is_the_share_of_right_verdicts() -> None:
    assert accuracy(LABELS, PROBABILITIES) == 0.75


def test_log_loss_is_the_mean_surprise() -> None:
    expected = -(math.log(0.9) + math.log(0.4) + math.log(0.8) + math.log(0.9)) / 4
    assert log_loss(LABELS, PROBABILITIES) == pytest.approx(expected)


def test_log_loss_of_a_wrong_certainty_is_finite() -> None:
    assert log_loss(np.array([1]), probabilities([0.0])) == pytest.approx(-math.log(1e-7))


def test_calibration_error_weighs_each_bin_by_its_pictures() -> None:
    # Confidences 0.9, 0.9 (both right), 0.8 (right) and 0.6 (wrong) fall into three of 15 bins.
    expected = (2 * (1 - 0.9) + (1 - 0.8) + (0.6 - 0)) / 4
    assert calibration_error(LABELS, PROBABILITIES) == pytest.approx(expected)


def test_calibration_error_takes_the_mean_within_a_bin() -> None:
    # Four pictures at confidence 0.75, three of them right: no error.
    alike = probabilities([0.75, 0.75, 0.75, 0.75])
    assert calibration_error(np.array([1, 1, 1, 0]), alike) == pytest.approx(0)


def test_certainty_belongs_to_the_last_bin() -> None:
    assert calibration_error(np.array([1, 0]), probabilities([1.0, 0.0])) == 0


def test_confusion_counts_classes_against_verdicts() -> None:
    assert confusion(LABELS, PROBABILITIES, ("cat", "dog")) == {
        "cat": {"cat": 2, "dog": 0},
        "dog": {"cat": 1, "dog": 1},
    }


def test_of_many_classes_the_most_frequent_confusions_are_listed() -> None:
    names = [f"c{number}" for number in range(200)]
    labels = np.arange(2000) % 200
    said = labels.copy()
    said[5:1600:200] = 7  # 8 of the 10 pictures of c5
    said[9] = 3
    answered = np.eye(200)[said]
    found = confusion(labels, answered, names)
    assert found["c5"] == {"c5": 2, "c7": 8}
    assert found["c1"] == {"c1": 10}
    assert most_confused(found) == [(8, "c5", "c7"), (1, "c9", "c3")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the samples in folders, with one file that is no picture."""
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for sample in samples().glob(f"{label}-*"):
            (tmp_path / label / sample.name).write_bytes(sample.read_bytes())
    (tmp_path / "dog" / "notes.txt").write_text("no picture")
    (tmp_path / "dog" / ".hidden").write_text("not looked at")
    return tmp_path


def test_an_evaluation_reports_what_it_could_not_read(stack: ModelStack, folder: Path) -> None:
    result = evaluate(stack, folder, threads=2, progress=False)
    assert result.pictures == 3
    assert result.accuracy == 1
    assert result.confusion == {"cat": {"cat": 2, "dog": 0}, "dog": {"cat": 0, "dog": 1}}
    assert [Path(file.path).name for file in result.unreadable] == ["notes.txt"]
    assert "notes.txt" in result.as_table()
    document = orjson.loads(orjson.dumps(result.as_json()))
    assert document["confusion"]["cat"]["cat"] == 2
    assert document["reference"]["verdicts"] == result.reference.verdicts
    assert "familiarity" in document["reference"]


def test_mistakes_are_named_the_worst_first() -> None:
    files = [LabelledFile(Path(name), label) for name, label in zip("abcd", LABELS, strict=True)]
    found_by_hand = probabilities([0.4, 0.1, 0.2, 0.7])
    reference = Reference.of([Verdict({"cat": 0.9, "dog": 0.1}, "pets 1")])
    answers = Answers(files, LABELS, found_by_hand, reference, [], 1.0)
    found = measure(InstantClassifier({"cat": 1.0, "dog": 0.0}), answers)
    assert found.mistakes == [
        Mistake("b", "dog", "cat", 0.9, 0.1),
        Mistake("d", "cat", "dog", 0.7, 1 - 0.7),
        Mistake("a", "dog", "cat", 0.6, 0.4),
    ]
    assert found.intervals["accuracy"] == pytest.approx((0.046, 0.699), abs=1e-3)
    assert "accuracy           25.00% (4.6% to 69.9%)" in found.as_table()
    low, high = found.intervals["log_loss"]
    assert low < found.log_loss < high
    assert "mistakes, the worst first: 3\n  b: cat 90.0%, dog 10.0%\n  d: " in found.as_table()
    many = dataclasses.replace(found, mistakes=found.mistakes * 4)
    assert many.as_table().endswith("  and 2 more: evaluate --mistakes FILE lists all.")


class Choosy(InstantClassifier):
    """Classifier that fails on the pictures of one file."""

    def prepare(self, data: bytes) -> Any:
        if data.startswith(b"\x89PNG"):
            raise KeyError("alpha")
        return data

    def classify(self, pictures: Sequence[Any]) -> list[Verdict]:
        if any(len(picture) < 10_000 for picture in pictures):
            raise ValueError("it is small")
        return super().classify(pictures)


def test_a_picture_on_which_a_classifier_fails_is_left_out_alone(folder: Path) -> None:
    choosy = Choosy({"cat": 0.9, "dog": 0.1})
    result = ask(choosy, labelled_files(folder, ("cat", "dog")), threads=2, progress=False)
    assert [file.path.name for file in result.files] == ["cat-kitten.jpg"]
    details = {Path(file.path).name: file.detail for file in result.unreadable}
    assert details["cat-chelsea.png"].startswith("prepare raises KeyError: 'alpha' (")
    assert details["dog-beagle.jpg"].startswith("classify raises ValueError: it is small (")
    assert {file.reason for file in result.unreadable} == {"internal_error"}


def test_those_that_vote_are_measured_as_one(
    stack: ModelStack, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Let two of three members give the opposite verdict: each decision is wrong."""
    repository = tmp_path_factory.mktemp("stacks")
    opposite = [
        ModelStack.load(add(repository, "pets", version, classes=["dog", "cat"]), threads=1)
        for version in ("1", "2")
    ]
    jury = VotingClassifier([Member(stack), *map(Member, opposite)], "majority")
    result = evaluate(jury, folder, threads=2, progress=False)
    assert result.stack == f"jury {DEFAULT}+pets/1+pets/2"
    assert result.confusion == {"cat": {"cat": 0, "dog": 2}, "dog": {"cat": 1, "dog": 0}}
    assert [Path(file.path).name for file in result.unreadable] == ["notes.txt"]
    for each in opposite:
        each.close()


def test_an_evaluation_names_the_folder_that_is_missing(stack: ModelStack, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        evaluate(stack, tmp_path / "nowhere", threads=2, progress=False)
    (tmp_path / "cat").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "cat" / "1.png")
    with pytest.raises(InputError, match="no subfolder dog"):
        evaluate(stack, tmp_path, threads=2, progress=False)
    (tmp_path / "dog").mkdir()
    with pytest.raises(InputError, match="dog is empty"):
        evaluate(stack, tmp_path, threads=2, progress=False)
    (tmp_path / "dog" / "1.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="no readable picture of dog"):
        evaluate(stack, tmp_path, threads=2, progress=False)
