"""Tests of the choice of pictures from a folder."""

from pathlib import Path

import pytest

from benchmarks.pictures import pictures


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)


def test_few_pictures_are_taken_from_all_folders_alike(tmp_path: Path) -> None:
    put(tmp_path, *(f"{animal}/{number}.jpg" for animal in ("cat", "dog") for number in range(9)))
    chosen = [file.decode() for file in pictures(tmp_path, 6)]
    assert len(set(chosen)) == 6
    assert [name.partition("/")[0] for name in chosen] == ["cat"] * 3 + ["dog"] * 3


def test_pictures_are_repeated_equally_often_where_there_are_too_few(tmp_path: Path) -> None:
    put(tmp_path, "a.png", "b.JPG", "c.webp")
    chosen = pictures(tmp_path, 9)
    assert {name: chosen.count(name) for name in chosen} == {b"a.png": 3, b"b.JPG": 3, b"c.webp": 3}


def test_a_folder_without_pictures_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    put(tmp_path, "readme.md")
    with pytest.raises(SystemExit, match="There is no picture in"):
        pictures(tmp_path, 1)
