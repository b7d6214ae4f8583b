"""Tests of the choice of picture files by ``send``."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from catdog_stream.commands.send import pictures, send
from catdog_stream.errors import InputError


def test_a_folder_gives_its_pictures_and_a_named_file_is_always_sent(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    names = ["b.PNG", "a.jpg", "deep/er/c.webp", "notes.txt", "deep/.hidden"]
    for name in names:
        (tmp_path / name).touch()
    found = pictures([tmp_path, tmp_path / "notes.txt"])
    assert found == [tmp_path / name for name in ("a.jpg", "b.PNG", "deep/er/c.webp", "notes.txt")]


def test_a_folder_named_like_a_picture_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "album.png").mkdir()
    (tmp_path / "a.png").touch()
    assert pictures([tmp_path]) == [tmp_path / "a.png"]


def test_what_cannot_be_sent_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file or folder .*nowhere"):
        pictures([tmp_path / "nowhere"])
    with pytest.raises(InputError, match="no picture in the folder"):
        pictures([tmp_path])


def test_nothing_is_sent_unless_everything_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    answer = CliRunner().invoke(send, [str(tmp_path / "a.png"), str(tmp_path / "nowhere")])
    assert answer.exit_code == 1
    assert answer.stderr == f"Error: There is no file or folder {tmp_path / 'nowhere'}.\n"


@pytest.mark.parametrize("arguments", [[], ["--timeout", "0", "x"], ["--timeout", "soon", "x"]])
def test_a_wrong_call_is_explained(arguments: list[str]) -> None:
    answer = CliRunner().invoke(send, arguments)
    assert answer.exit_code == 2
    assert answer.stderr.startswith("Usage: send")
