"""Tests of golden pictures: a stack must still give the verdicts that were stored for them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from catdog_stream.commands.stacks import stacks
from catdog_stream.errors import InputError, StackError
from catdog_stream.models.stacks.golden import give
from catdog_stream.models.stacks.locate import samples
from catdog_stream.models.stacks.manifest import MAX_GOLDEN, load_manifest
from catdog_stream.models.stacks.stack import ModelStack
from tests.support.stacks import add, with_golden


@pytest.mark.parametrize(
    ("cat", "same"), [(1.0, True), (0.8, True), (0.6, False), (0.1, False)], ids=str
)
def test_a_stack_that_answers_otherwise_is_told_from_one_that_does_not(
    tmp_path: Path, cat: float, same: bool
) -> None:
    directory = with_golden(tmp_path, "pets", "1", cat=cat, dog=1 - cat)
    loaded = ModelStack.load(directory, threads=1)
    if same:
        loaded.check_golden(directory)
    else:
        with pytest.raises(StackError, match=r"takes its golden picture .* for cat"):
            loaded.check_golden(directory)
    loaded.close()


def test_a_golden_picture_that_was_changed_is_refused(tmp_path: Path) -> None:
    golden = {"file": "NOTICE", "sha256": "0" * 64, "scores": {"cat": 1.0, "dog": 0.0}}
    with pytest.raises(StackError, match="damaged"):
        load_manifest(add(tmp_path, "pets", "1", golden=[golden]))
    golden["scores"] = {"dog": 1.0}
    with pytest.raises(StackError, match="a score for each class"):
        load_manifest(add(tmp_path, "pets", "2", golden=[golden]))
    golden["scores"] = {"cat": float("nan"), "dog": 0.0}  # valid JSON for Python
    with pytest.raises(StackError, match="from 0 to 1"):
        load_manifest(add(tmp_path, "pets", "3", golden=[golden]))
    golden["scores"] = {"cat": 1.0, "dog": 0.0}
    with pytest.raises(StackError, match="at most"):
        load_manifest(add(tmp_path, "pets", "4", golden=[golden] * (MAX_GOLDEN + 1)))


def test_a_stack_gets_golden_pictures_and_later_others_and_keeps_all_else(tmp_path: Path) -> None:
    directory = add(tmp_path, "pets", "1", something={"of": "others"})
    command = CliRunner().invoke(stacks, ["golden", str(directory), str(samples())])
    assert command.exit_code == 0, command.output
    assert "golden-cat-kitten.jpg: cat 9" in command.output
    assert "CREDITS" not in command.output
    manifest = load_manifest(directory)
    assert [each.file for each in manifest.golden] == [
        "golden-cat-chelsea.png",
        "golden-cat-kitten.jpg",
        "golden-dog-beagle.jpg",
    ]
    document = json.loads((directory / "manifest.json").read_bytes())
    assert document["something"] == {"of": "others"}

    stack = ModelStack.load(directory, threads=1)
    stack.check_golden(directory)
    pictures = tmp_path / "pictures"
    (pictures / "dog").mkdir(parents=True)
    shutil.copy(samples() / "dog-beagle.jpg", pictures / "dog" / "1.JPG")
    (only,) = give(stack, directory, pictures)
    assert only.file == "golden-dog-1.jpg"
    assert only.scores["dog"] > 0.9
    assert load_manifest(directory).golden == (only,)
    assert [file.name for file in directory.glob("golden-*")] == ["golden-dog-1.jpg"]
    with pytest.raises(InputError, match="no readable picture"):
        give(stack, directory, tmp_path / "nowhere")
    stack.close()
