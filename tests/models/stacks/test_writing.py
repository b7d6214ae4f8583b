"""Tests of a written stack: it is loaded before the command reports success."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from catdog_stream.commands.train_head import train_head
from catdog_stream.errors import StackError
from catdog_stream.models.stacks import manifest as manifests
from catdog_stream.models.stacks.locate import default_stack, samples
from catdog_stream.models.stacks.manifest import FILE_NAME, load_manifest
from catdog_stream.models.stacks.writing import restored_on_failure, write_loadable
from tests.support.stacks import add


def classes(folder: Path, number: int) -> Path:
    """Return a folder with this number of classes, with a sample picture in each."""
    picture = (samples() / "cat-kitten.jpg").read_bytes()
    for each in range(number):
        (folder / f"class-{each:02}").mkdir(parents=True)
        (folder / f"class-{each:02}" / "1.jpg").write_bytes(picture)
    return folder


def test_one_that_does_not_load_leaves_the_manifest_that_was_there(tmp_path: Path) -> None:
    directory = add(tmp_path, "pets", "1")
    before = (directory / FILE_NAME).read_bytes()
    wrong = msgspec.structs.replace(load_manifest(directory), features=7)
    with pytest.raises(StackError):
        write_loadable(wrong, directory, threads=1)
    assert (directory / FILE_NAME).read_bytes() == before
    (directory / FILE_NAME).unlink()
    with pytest.raises(StackError):
        write_loadable(wrong, directory, threads=1)
    assert not (directory / FILE_NAME).exists()


def test_files_are_as_they_were_when_something_fails(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")

    def write() -> None:
        with restored_on_failure(tmp_path, "old", "new"):
            for name in ("old", "new"):
                (tmp_path / name).write_bytes(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("old", b"old")]


def test_a_head_whose_stack_does_not_load_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifests, "MAX_GOLDEN", 1)  # any violation will do
    folder = classes(tmp_path / "two", 2)
    arguments = [str(folder), "--output", str(tmp_path / "out"), "--backbone", str(default_stack())]
    answer = CliRunner().invoke(train_head, arguments)
    assert answer.exit_code == 1
    assert "golden must have at most 1 pictures" in answer.output
    assert "Trained" not in answer.output
    assert not (tmp_path / "out" / FILE_NAME).exists()
