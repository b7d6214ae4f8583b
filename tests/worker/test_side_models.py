"""Tests of the places of the stacks beside the one that serves."""

from pathlib import Path

import pytest

from catdog_stream.errors import StackError
from catdog_stream.models import python_classifier
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.stacks.locate import default_stack, samples
from catdog_stream.models.stacks.manifest import describe
from catdog_stream.settings import Settings
from catdog_stream.worker.side_models import directory_of, named_loader
from tests.support.examples import EXAMPLES
from tests.support.stacks import DEFAULT, add


def test_a_version_lies_in_the_folder_of_the_stacks(tmp_path: Path) -> None:
    there = add(tmp_path, "pets", "2")
    assert directory_of(Settings(stacks=tmp_path), "pets/2") == there


def test_a_directory_is_where_it_is_with_such_a_folder_and_without(tmp_path: Path) -> None:
    for stacks in (tmp_path, None):
        assert directory_of(Settings(stacks=stacks), str(default_stack())) == default_stack()


def test_a_stack_of_the_project_needs_no_folder(tmp_path: Path) -> None:
    for stacks in (tmp_path, None):
        assert directory_of(Settings(stacks=stacks), str(DEFAULT)) == default_stack()


@pytest.mark.parametrize("text", ["pets/9", "../pets", "/nowhere", "pets"])
def test_what_is_nowhere_is_named(tmp_path: Path, text: str) -> None:
    for stacks in (tmp_path, None):
        with pytest.raises(StackError, match=text):
            directory_of(Settings(stacks=stacks), text)


def test_a_canary_must_answer_its_golden_pictures_as_it_did(tmp_path: Path) -> None:
    part = describe(samples(), "cat-kitten.jpg")
    entry = {"file": part.file, "sha256": part.sha256, "scores": {"cat": 0.0, "dog": 1.0}}
    canary = add(tmp_path, "pets", "3", golden=[entry])
    (canary / part.file).symlink_to(samples() / part.file)
    with pytest.raises(StackError, match="golden picture"):
        named_loader("pets/3")(Settings(stacks=tmp_path, engine="litert", threads=1))


def test_a_class_that_replaces_a_hung_canary_is_not_checked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    checked = list[Classifier]()
    monkeypatch.setattr(python_classifier, "check", lambda _, made: checked.append(made))
    load, settings = named_loader("brightness:Brightness"), Settings()
    assert load(settings) is not load(settings)
    assert len(checked) == 1
