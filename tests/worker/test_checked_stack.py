"""Tests of the check of a new stack: the message says in a sentence what is wrong with it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from catdog_stream.errors import StackError
from catdog_stream.models.stacks.repository import Repository, StackId
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.settings import Settings
from catdog_stream.testing import InstantClassifier
from catdog_stream.worker import checked_stack
from catdog_stream.worker.checked_stack import free_memory, from_repository, of_settings
from catdog_stream.worker.loading import load_stack
from tests.support.stacks import add, with_golden

PETS = StackId("pets", "1")


def refusal(folder: Path, stack: StackId = PETS) -> str:
    with pytest.raises(StackError) as refused:
        from_repository(stack)(Settings(stacks=folder, threads=1))
    return str(refused.value)


def test_a_good_one_is_loaded(tmp_path: Path) -> None:
    with_golden(tmp_path, "pets", "1", cat=1.0, dog=0.0)
    loaded = from_repository(PETS)(Settings(stacks=tmp_path, threads=1))
    assert (loaded.name, loaded.version) == ("pets", "1")
    assert isinstance(loaded, ModelStack)
    assert Repository(tmp_path).holds(PETS, loaded.manifest)
    loaded.close()


def test_one_that_is_being_copied_is_incomplete(tmp_path: Path) -> None:
    directory = add(tmp_path, "pets", "1")
    file = directory / "backbone.tflite"
    half = file.read_bytes()[: 2**20]
    file.unlink()
    assert "backbone.tflite is missing" in refusal(tmp_path)
    file.write_bytes(half)
    assert "is damaged" in refusal(tmp_path)
    (directory / "manifest.json").unlink()
    assert "it has no manifest.json" in refusal(tmp_path)
    os.mkfifo(directory / "manifest.json")  # a read would block for ever
    assert "it has no manifest.json" in refusal(tmp_path)
    assert "There is no stack pets/2" in refusal(tmp_path, StackId("pets", "2"))


@pytest.mark.parametrize("file", ["head.ubj", "manifest.json"])
def test_one_into_which_somebody_copies_while_it_is_loaded_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    directory = add(tmp_path, "pets", "1")

    def load(settings: Settings) -> ModelStack:
        loaded = load_stack(settings)
        same = (directory / file).read_bytes()
        (directory / file).unlink()
        (directory / file).write_bytes(same)
        return loaded

    monkeypatch.setattr(checked_stack, "load_stack", load)
    assert refusal(tmp_path) == "The stack pets/1 changed while it was loaded."


def test_a_link_to_nowhere_is_told(tmp_path: Path) -> None:
    (add(tmp_path, "pets", "1") / "README.md").unlink(missing_ok=True)
    (tmp_path / "pets" / "1" / "README.md").symlink_to("nowhere")
    assert "cannot be read" in refusal(tmp_path)


def test_one_that_calls_itself_otherwise_or_has_other_answers_is_refused(tmp_path: Path) -> None:
    add(tmp_path, "pets", "7").rename(tmp_path / "pets" / "1")
    assert "calls itself pets/7" in refusal(tmp_path)
    with_golden(tmp_path, "pets", "2", cat=0.0, dog=1.0)
    assert "takes its golden picture" in refusal(tmp_path, StackId("pets", "2"))


def test_one_that_cannot_fit_into_memory_is_not_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tmp_path, "pets", "1")
    monkeypatch.setattr(checked_stack, "free_memory", lambda: 2**20)
    assert "1 MB of memory are free" in refusal(tmp_path)


def test_the_free_memory_is_that_of_the_machine_or_less() -> None:
    free = free_memory()
    assert free is None or 0 < free <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_that_of_the_settings_has_to_answer_as_it_did_too(tmp_path: Path) -> None:
    directory = with_golden(tmp_path, "pets", "1", cat=0.0, dog=1.0)
    with pytest.raises(StackError, match="golden"):
        of_settings(load_stack)(Settings(stack=directory, threads=1))
    other: Callable[[Settings], InstantClassifier] = lambda _settings: InstantClassifier({"a": 1.0})  # noqa: E731
    assert of_settings(other)(Settings()).name == "instant"


def test_a_manifest_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = add(tmp_path, "pets", "1") / "manifest.json"
    os.truncate(file, 2**40)  # uses no disk space
    with pytest.raises(StackError, match="larger than"):
        Repository(tmp_path).manifest(PETS)
