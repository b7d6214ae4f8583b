"""Tests of the folder of kept pictures: it stays bounded for any writer and any content."""

import json
import os
from pathlib import Path

import pytest

from catdog_stream.messages.wire import Source
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.shadow.keeping import Keeping
from tests.support.shade import grey

CAT, DOG = Verdict({"cat": 0.9, "dog": 0.1}, "a 1"), Verdict({"cat": 0.2, "dog": 0.8}, "b 2")


def keep(keeping: Keeping, offset: int, picture: bytes = b"") -> None:
    """Keep a picture, and make it look older than later ones."""
    source = Source("catdogimage", 3, offset)
    keeping.keep(source, picture or grey(offset), CAT, DOG)
    for file in keeping.folder.glob(f"3-{offset}.*"):
        os.utime(file, (1000 + offset, 1000 + offset))


def offsets(folder: Path) -> list[int]:
    """Return the offsets of the kept pictures, each of which must have its JSON."""
    stems = sorted({file.stem for file in folder.iterdir()}, key=lambda stem: int(stem[2:]))
    for stem in stems:
        assert (folder / f"{stem}.json").exists()
        assert len(list(folder.glob(f"{stem}.*"))) == 2
    return [int(stem[2:]) for stem in stems]


def test_a_picture_is_kept_as_it_came_with_both_verdicts_beside_it(tmp_path: Path) -> None:
    keep(Keeping(tmp_path), 7)
    assert (tmp_path / "3-7.png").read_bytes() == grey(7)
    document = json.loads((tmp_path / "3-7.json").read_text())
    assert document.pop("kept")
    assert document == {
        "source": "catdogimage/3/7",
        "answered": {"stack": "a 1", "verdict": "cat", "scores": {"cat": 0.9, "dog": 0.1}},
        "shadow": {"stack": "b 2", "verdict": "dog", "scores": {"cat": 0.2, "dog": 0.8}},
    }


def test_the_newest_are_kept_and_no_more_of_them_than_so_many(tmp_path: Path) -> None:
    for offset in range(12):
        keep(Keeping(tmp_path, most=5), offset)  # as after a restart
        assert len(offsets(tmp_path)) <= 5
    assert offsets(tmp_path) == [7, 8, 9, 10, 11]


def test_all_together_have_no_more_bytes_than_so_many(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path, most_bytes=10_000)
    for offset in range(12):
        keep(keeping, offset, b"\xff\xd8\xff" + b"x" * (1000 + 200 * offset))
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 10_000
    assert offsets(tmp_path) == [9, 10, 11]
    keep(keeping, 20, b"x" * 10_000)  # larger than the budget
    assert offsets(tmp_path) == [9, 10, 11]


def test_a_request_that_is_delivered_again_is_kept_once(tmp_path: Path) -> None:
    for _ in range(3):
        keep(Keeping(tmp_path), 7)
    assert offsets(tmp_path) == [7]


def test_what_was_left_half_written_goes_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    left, at_work = tmp_path / ".3-1.png.part", tmp_path / ".3-2.png.part"
    theirs = [tmp_path / name for name in ("notes.txt", "1.png", "3-x.json", ".3-4.exe.part")]
    for file in (left, at_work, *theirs):
        file.write_text("")
    for file in (left, *theirs):
        os.utime(file, (1, 1))
    keep(Keeping(tmp_path, most=1), 7)
    assert not left.exists()
    assert at_work.exists()
    assert all(file.exists() for file in theirs)


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    folder = tmp_path / "kept"
    folder.mkdir()
    for name in (".3-7.png.part", "3-7.png", "3-7.json"):
        (folder / name).symlink_to(precious)
    keep(Keeping(folder), 7)
    assert precious.read_text() == "precious"
    assert (folder / "3-7.png").read_bytes() == grey(7)


@pytest.mark.parametrize(
    ("picture", "extension"),
    [(b"\xff\xd8\xff", "jpeg"), (b"GIF89a", "gif"), (b"<script>", "bin"), (b"#!/bin/sh", "bin")],
)
def test_an_extension_is_one_of_a_few(tmp_path: Path, picture: bytes, extension: str) -> None:
    keep(Keeping(tmp_path), 7, picture)
    assert {file.name for file in tmp_path.iterdir()} == {f"3-7.{extension}", "3-7.json"}
