"""Tests of robustness: a stack of any classes is evaluated on rotated and corrupted pictures."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catdog_stream.errors import InputError
from catdog_stream.models.classifier import Prepared
from catdog_stream.models.pictures import Picture, PictureLimits, decode
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.locate import samples
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.training.corruptions import CORRUPTIONS, TURNS
from catdog_stream.models.training.labelled import LabelledFile
from catdog_stream.models.training.robustness import (
    Robustness,
    chosen,
    evaluate_robustness,
)
from catdog_stream.models.verdict import Verdict

#: Class to the light part of its pictures.
CLASSES = {"above": np.s_[:8], "below": np.s_[8:], "even": np.s_[:0]}


class Sides:
    """Classifier of three classes by the lighter half of the picture."""

    name, version, engine = "sides", "1", "none"
    classes = tuple(CLASSES)
    batch_size, on_gpu = 4, False

    def __init__(self, *, scored: bool = True) -> None:
        self.scored = scored

    def prepare(self, data: bytes) -> Picture:
        return decode(data, Preprocessing(16), PictureLimits())

    def classify(self, pictures: Sequence[Prepared]) -> list[Verdict]:
        return [self._verdict(np.asarray(picture, float)) for picture in pictures]

    def _verdict(self, pixels: np.ndarray) -> Verdict:
        above, below = pixels[:8].mean(), pixels[8:].mean()
        largest = max(abs(above - below), 1.0)
        scores = {"above": above - below, "below": below - above, "even": 0.5}
        scores = {name: value / largest for name, value in scores.items()}
        dark = pixels.mean() < 50
        return Verdict(scores, "sides 1", 0.5 if self.scored else None, unknown=bool(dark))

    def warm_up(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, light in CLASSES.items():
        (tmp_path / name).mkdir()
        pixels = np.full((16, 16, 3), 60, np.uint8)
        pixels[light] = 160
        for number in range(3):
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    (tmp_path / "even" / "notes.txt").write_text("no picture")
    return tmp_path


def measured(folder: Path, **options: bool) -> Robustness:
    return evaluate_robustness(Sides(**options), folder, sample=None, threads=2)


def test_each_view_has_a_row(folder: Path) -> None:
    found = measured(folder)
    assert [each.view for each in found.results] == [
        "as it is", *TURNS, "mirrored", *CORRUPTIONS,
    ]  # fmt: skip
    assert {each.pictures for each in found.results} == {9}
    assert [Path(each.path).name for each in found.unreadable] == ["notes.txt"]
    results = {each.view: each for each in found.results}
    assert results["as it is"].right == results["mirrored"].right == 9
    assert results["turned 180"].right == 3
    assert results["dark"].unknown == 9
    assert results["as it is"].unknown == 0


def test_the_same_pictures_give_the_same_numbers(folder: Path) -> None:
    assert measured(folder) == measured(folder)


def test_a_stack_without_a_score_calls_nothing_unknown(tmp_path: Path) -> None:
    (tmp_path / "above").mkdir()
    for name in CLASSES:
        (tmp_path / name).mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), "white").save(tmp_path / name / "0.png")
    found = measured(tmp_path, scored=False)
    assert found.results[0].unknown is None
    assert found.results[0].as_row()[3] == ""


def test_a_sample_keeps_the_share_of_each_class() -> None:
    files = [LabelledFile(Path(str(number)), number // 50) for number in range(100)]
    labels = [file.label for file in chosen(files, 10)]
    assert labels == [0] * 5 + [1] * 5
    assert chosen(files, None) == chosen(files, 1000) == files


def test_a_folder_without_a_readable_picture_of_a_class_is_refused(folder: Path) -> None:
    for file in (folder / "even").glob("*.png"):
        file.unlink()
    with pytest.raises(InputError, match="no readable picture of even"):
        measured(folder)


def test_the_results_are_a_table_and_json(folder: Path) -> None:
    found = measured(folder)
    lines = found.as_table().splitlines()
    assert lines[0] == "stack     sides 1, run by none"
    heads = "view accuracy 95 % interval unknown 95 % interval"
    assert " ".join(lines[3].split()) == heads
    assert " ".join(lines[4].split()) == "as it is 100.00% 70.1% to 100.0% 0.00% 0.0% to 29.9%"
    document = json.loads(json.dumps(found.as_json()))
    assert document["views"][0]["view"] == "as it is"
    assert document["views"][0]["accuracy"] == 1


def test_a_picture_as_it_is_has_the_verdict_of_the_stack(stack: ModelStack, tmp_path: Path) -> None:
    for label in stack.classes:
        (tmp_path / label).mkdir()
        sample = sorted(samples().glob(f"{label}-*"))[0]
        (tmp_path / label / sample.name).write_bytes(sample.read_bytes())
    found = evaluate_robustness(stack, tmp_path, sample=None, threads=2)
    assert found.results[0].right == 2
    assert len(found.results) == 14
