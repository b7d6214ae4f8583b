"""Tests of labelled files: what is left out is named, and why."""

import os
from pathlib import Path

import numpy as np
import pytest

from catdog_stream.errors import InputError
from catdog_stream.folders import entries_below
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.training.labelled import (
    Unreadable,
    labelled_files,
    lines_about,
    read_batches,
    typical_pictures,
)
from tests.support.pictures import colored


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two classes, one with everything that is no picture."""
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "good.png").write_bytes(colored("red"))
    odd = tmp_path / "dog"
    (odd / "large.png").write_bytes(colored("red", side=100))
    (odd / "inner").mkdir()
    (odd / "inner" / "deep.png").write_bytes(colored("red"))
    (odd / "link").symlink_to(odd / "missing")
    (odd / "linked").symlink_to(odd / "inner")
    os.mkfifo(odd / "pipe")
    (odd / ".hidden").write_text("not read")
    return tmp_path


LIMITS = PictureLimits(max_pixels=99 * 99)


def test_each_file_that_is_left_out_has_its_reason(folder: Path) -> None:
    files = labelled_files(folder, ("cat", "dog"))
    (batch,) = read_batches(files, Preprocessing(8), threads=1, limits=LIMITS)
    assert batch.pictures.shape == (2, 8, 8, 3)
    assert {Path(each.path).name: each.detail for each in batch.unreadable} == {
        "inner": "It is a folder, whose files are not read.",
        "large.png": "The picture has 100 x 100 pixels, 9801 are allowed.",
        "link": "It is a link to a missing file.",
        "linked": "It is a folder, whose files are not read.",
        "pipe": "It is no regular file.",
    }
    pictures, left_out = typical_pictures(folder, Preprocessing(8), 9, threads=1, limits=LIMITS)
    assert np.array_equal(pictures, batch.pictures)
    assert left_out == batch.unreadable


def test_all_that_lies_below_a_folder_is_found_once(folder: Path) -> None:
    found = [str(path.relative_to(folder)) for path in entries_below(folder)]
    assert found == [
        *("cat/good.png", "dog/good.png", "dog/inner/deep.png", "dog/large.png"),
        *("dog/link", "dog/linked", "dog/pipe"),
    ]
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match="empty has no files"):
        entries_below(folder / "empty")
    with pytest.raises(InputError, match="no folder"):
        entries_below(folder / "missing")


def test_many_files_are_counted_by_reason() -> None:
    few = [Unreadable(f"{n}.png", "too_large", "It is large.") for n in range(20)]
    assert lines_about(few)[-1] == "19.png: It is large."
    many = [*few, *few, Unreadable("x", "not_a_file", "It is a folder.")]
    assert lines_about(many)[20:] == ["and 21 more files: 20 too_large, 1 not_a_file."]
