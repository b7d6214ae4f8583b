"""Tests of misleading data: it is refused, with the names of the files."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from catdog_stream.errors import InputError
from catdog_stream.models.training.data.checking import LEAST_TO_TRAIN, Checked, check
from tests.models.training.data.pictures import CLASSES, fill


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path / "pictures", LEAST_TO_TRAIN)


def checked(folder: Path, evaluation: Path | None = None, group: str | None = None) -> Checked:
    return check(folder, sorted(CLASSES), evaluation, group=group, threads=2, progress=False)


def test_all_that_is_well_passes(folder: Path) -> None:
    found = checked(folder)
    assert len(found.training) == 3 * LEAST_TO_TRAIN
    assert (found.evaluation, found.unreadable, found.duplicates) == ((), (), ())


def test_the_names_of_files_change_nothing(folder: Path) -> None:
    before = [each.sha256 for each in checked(folder).training]
    for number, file in enumerate(sorted((folder / "fine").iterdir(), reverse=True)):
        file.rename(file.with_name(f"again-{number}.png"))
    assert [each.sha256 for each in checked(folder).training] == before


def test_a_class_with_few_pictures_is_named_with_what_is_needed(folder: Path) -> None:
    (folder / "fine" / "000.png").write_bytes(b"no picture")
    (folder / "fine" / "001.png").unlink()
    with pytest.raises(InputError, match=r"fine has 18 different .* 20 are needed") as error:
        checked(folder)
    assert "1 of its files cannot be read, such as 000.png" in str(error.value)


def test_copies_do_not_fill_a_class(folder: Path) -> None:
    shutil.copy(folder / "fine" / "000.png", folder / "fine" / "001.png")
    with pytest.raises(InputError, match="fine has 19 different"):
        checked(folder)


def test_files_that_cannot_be_read_are_listed(folder: Path) -> None:
    (folder / "fine" / "notes.txt").write_text("no picture")
    found = checked(folder)
    assert [Path(each.path).name for each in found.unreadable] == ["notes.txt"]
    assert len(found.training) == 3 * LEAST_TO_TRAIN


@pytest.mark.parametrize("saved_anew", [False, True])
def test_copies_in_a_class_are_reported_and_left_out(folder: Path, saved_anew: bool) -> None:
    first, copy = folder / "fine" / "003.png", folder / "fine" / "copy.png"
    if saved_anew:
        Image.open(first).resize((96, 96)).save(copy)
    else:
        shutil.copy(first, copy)
    found = checked(folder)
    (pair,) = found.duplicates
    assert {pair.path, pair.first} == {first, copy}
    assert pair.identical is not saved_anew
    assert len(found.training) == 3 * LEAST_TO_TRAIN
    kept = {each.file.path for each in found.training}
    assert pair.first in kept
    assert pair.path not in kept


@pytest.mark.parametrize("saved_anew", [False, True])
def test_a_picture_under_two_classes_is_refused(folder: Path, saved_anew: bool) -> None:
    first, copy = folder / "fine" / "003.png", folder / "broad" / "copy.png"
    if saved_anew:
        Image.open(first).convert("RGB").save(copy.with_suffix(".jpg"), quality=80)
    else:
        shutil.copy(first, copy)
    with pytest.raises(InputError, match=r"copy.* under two classes: remove") as error:
        checked(folder)
    assert str(first) in str(error.value)


def test_a_picture_to_train_and_to_evaluate_on_is_refused(folder: Path, tmp_path: Path) -> None:
    evaluation = fill(tmp_path / "evaluation", 5, first=100)
    assert len(checked(folder, evaluation).evaluation) == 15
    for number in range(12):
        Image.open(folder / "fine" / f"{number:03}.png").resize((64, 64)).save(
            evaluation / "fine" / f"copy-{number}.png"
        )
    with pytest.raises(InputError, match="both to train and to evaluate on") as error:
        checked(folder, evaluation)
    assert str(error.value).count("copy-") == 10
    assert "and 2 more pairs" in str(error.value)


def test_few_pictures_to_evaluate_on_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"evaluation/broad has 4 different .* 5 are needed"):
        checked(folder, fill(tmp_path / "evaluation", 4, first=100))


def test_pictures_have_their_groups(folder: Path) -> None:
    found = checked(folder, group=r"(\d)\.png$")
    assert {each.group for each in found.training} == set("0123456789")
    assert {each.group for each in checked(folder).training} == {None}


def test_a_class_with_few_groups_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="broad has 1 of the 3 groups of pictures that are needed"):
        checked(folder, group=r"(png)$")


def test_a_group_to_train_and_to_evaluate_on_is_refused(folder: Path, tmp_path: Path) -> None:
    evaluation = fill(tmp_path / "evaluation", 5, first=100)
    with pytest.raises(InputError, match="The group 0 has pictures both to train and to evaluate"):
        checked(folder, evaluation, group=r"(\d)\.png$")
