"""Tests of unfinished trainings: only the same training resumes."""

import os
from pathlib import Path

import numpy as np
import pytest

from catdog_stream.errors import InputError
from catdog_stream.models.training.stack.unfinished import Unfinished, unfinished_folder

ABOUT = {"classes": ("cat", "dog"), "seed": 0}


def begin(output: Path, *, resume: bool = False, force: bool = False, **more: object) -> Unfinished:
    """Begin as a process does that ends at once: its lock is released with it."""
    work = Unfinished.begin(output, {**ABOUT, **more}, resume=resume, force=force)
    os.close(work.lock)
    return work


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "pets" / "2"


def test_what_was_done_is_there_again(output: Path) -> None:
    before = begin(output)
    assert before.done("backbone") is None
    before.mark("backbone", {"losses": [1.5]})
    before.remember("linear-0", lambda: {"logits": np.ones((2, 4), np.float32)})
    again = begin(output, resume=True)
    assert again.done("backbone") == {"losses": [1.5]}
    kept = again.remember("linear-0", dict)
    np.testing.assert_array_equal(kept["logits"], np.ones((2, 4)))
    assert not again.remember("linear-1", dict)


@pytest.mark.parametrize("left", [0, 10, 200])
def test_what_a_power_failure_truncated_is_computed_again(output: Path, left: int) -> None:
    work = begin(output)
    work.remember("linear-0", lambda: {"logits": np.ones(40)})
    file = work.folder / "linear-0.npz"
    file.write_bytes(file.read_bytes()[:left])
    assert work.remember("linear-0", lambda: {"logits": np.zeros(3)})["logits"].shape == (3,)
    assert work.remember("linear-0", dict)["logits"].shape == (3,)


def test_one_that_was_stopped_is_not_lost_unless_asked_for(output: Path) -> None:
    begin(output).mark("backbone", {})
    with pytest.raises(InputError, match="--resume goes on with it, --force starts again"):
        begin(output)
    assert begin(output, force=True).done("backbone") is None


def test_another_one_is_not_gone_on_with(output: Path) -> None:
    begin(output)
    with pytest.raises(InputError, match=r"was begun otherwise \(seed\)"):
        begin(output, resume=True, seed=1)


def test_one_of_a_version_that_knew_fewer_options_is_gone_on_with_but_not_with_these(
    output: Path,
) -> None:
    begin(output).mark("backbone", {})
    assert begin(output, resume=True, teacher=None).done("backbone") == {}
    with pytest.raises(InputError, match=r"was begun otherwise \(teacher\)"):
        begin(output, resume=True, teacher="another")


def test_there_is_no_stack_before_it_is_whole(output: Path) -> None:
    output.mkdir(parents=True)
    (output / "old").touch()
    work = Unfinished.begin(output, ABOUT, resume=False, force=False)
    (work.stack / "manifest.json").touch()
    assert [file.name for file in output.iterdir()] == ["old"]
    work.publish()
    assert [file.name for file in output.iterdir()] == ["manifest.json"]
    assert not unfinished_folder(output).exists()


def test_two_do_not_work_in_one_folder(output: Path) -> None:
    work = Unfinished.begin(output, ABOUT, resume=False, force=False)
    for resume, force in ((False, False), (True, False), (False, True)):
        with pytest.raises(InputError, match="Another process is training"):
            begin(output, resume=resume, force=force)
    os.close(work.lock)
    begin(output, resume=True)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file.*cannot be written"):
        begin(tmp_path / "file" / "stack")
