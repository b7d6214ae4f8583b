"""Tests of a folder of stacks, and of entries in it that are no stacks."""

import os
from pathlib import Path

import pytest

from catdog_stream.errors import StackError
from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.stacks.manifest import load_manifest
from catdog_stream.models.stacks.repository import Repository, StackId
from tests.support.stacks import DEFAULT, add


def test_versions_are_listed_and_found(tmp_path: Path) -> None:
    for name, version in (("pets", "2"), ("pets", "1"), ("birds", "2024-05")):
        add(tmp_path, name, version)
    (tmp_path / "pets" / ".copying").mkdir()
    (tmp_path / "pets" / ".copying" / "manifest.json").touch()
    (tmp_path / "pets" / "empty").mkdir()
    repository = Repository(tmp_path)
    shipped = {str(stack) for stack in Repository(tmp_path / "nowhere")}
    found = [str(stack) for stack in repository]
    assert found == sorted(["birds/2024-05", "pets/1", "pets/2", *shipped])
    assert repository.manifest(StackId("pets", "2")).version == "2"


@pytest.mark.parametrize(
    "text", ["", "pets", "pets/", "/2", "../2", "pets/..", "pets/2/3", "pets/.2", "a b/1", "p/\n"]
)
def test_a_name_is_no_path(text: str) -> None:
    with pytest.raises(StackError, match="NAME/VERSION"):
        StackId.parse(text)


def test_what_is_not_there_or_calls_itself_otherwise_is_told(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    with pytest.raises(StackError, match="There is no stack pets/1 in"):
        repository.manifest(StackId("pets", "1"))
    add(tmp_path, "pets", "7").rename(tmp_path / "pets" / "1")
    with pytest.raises(StackError, match="calls itself pets/7"):
        repository.manifest(StackId("pets", "1"))


def test_stacks_that_ship_are_there_without_a_copy_and_give_way_to_one(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    assert DEFAULT in list(repository)
    assert repository.directory(DEFAULT) == default_stack()
    assert repository.manifest(DEFAULT).name == "inception_v3"
    copy = add(tmp_path, DEFAULT.name, DEFAULT.version)
    assert repository.directory(DEFAULT) == copy
    assert list(repository).count(DEFAULT) == 1


def test_a_namesake_with_another_manifest_is_another_stack(tmp_path: Path) -> None:
    repository, pets = Repository(tmp_path / "stacks"), StackId("pets", "1")
    manifest = load_manifest(add(tmp_path, "pets", "1"))
    assert not repository.holds(pets, manifest), "there is none"
    directory = add(repository.folder, "pets", "1")
    assert repository.holds(pets, manifest), "a copy is the same"
    assert not repository.holds(StackId("pets", "2"), manifest)
    (directory / "manifest.json").unlink()
    assert not repository.holds(pets, manifest)
    directory.rename(repository.folder / "aside")
    add(repository.folder, "pets", "1", classes=["bird", "fish"])
    assert not repository.holds(pets, manifest)


def test_a_folder_that_may_not_be_read_is_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StackError, match=r"cannot be read: Permission denied\.$"):
        list(Repository(tmp_path))
