"""Tests of groups: from the names of the files or from a table, or refused in a sentence."""

import re
from pathlib import Path

import pytest

from catdog_stream.errors import InputError
from catdog_stream.models.training.data.grouping import groups_of
from catdog_stream.models.training.labelled import LabelledFile

FOLDER = Path("pictures")
NAMES = ["cat/tom_1.png", "cat/tom_2.png", "cat/other.png", "dog/rex_1.png"]
FILES = [LabelledFile(FOLDER / name, 0) for name in NAMES]


def named(option: str) -> dict[str, str]:
    found = groups_of(option, FILES, [FOLDER])
    return {str(path.relative_to(FOLDER)): group for path, group in found.items()}


def test_a_pattern_is_searched_in_the_name_of_the_file() -> None:
    expected = {"cat/tom_1.png": "tom", "cat/tom_2.png": "tom", "dog/rex_1.png": "rex"}
    assert named("^(.+)_") == expected
    assert named("^([a-z]+)_|other") == expected  # a group that is empty is none


@pytest.mark.parametrize("begin", ["", "pictures/", str(FOLDER.absolute()) + "/"])
def test_a_table_names_paths(tmp_path: Path, begin: str) -> None:
    table = tmp_path / "groups.csv"
    table.write_text(
        f'\ufeffgroup,path\ntom,{begin}cat/tom_1.png\n"a, b",{begin}dog/rex_1.png\n'
        f",{begin}cat/other.png\nmore,elsewhere.png\n",
        encoding="utf-8",
    )
    assert named(str(table)) == {"cat/tom_1.png": "tom", "dog/rex_1.png": "a, b"}


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("tom", "--group tom has 0 groups in parentheses: it must have one"),
        ("(t)(o)m", "has 2 groups in parentheses"),
        ("(tom", "--group (tom is no regular expression: missing ), unterminated subpattern"),
        ("^(nobody)_", "--group ^(nobody)_ gives none of the pictures a group."),
        ("missing.csv", "There is no file missing.csv."),
    ],
)
def test_an_option_that_cannot_be_is_refused(option: str, sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        named(option)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "must have the columns path and group"),
        (b"path,name\ncat/tom_1.png,tom\n", "must have the columns path and group"),
        (b"path,group\nnowhere.png,tom\n", "gives none of the pictures a group"),
        (b"path,group\ncat/tom_1.png\n", "gives none of the pictures a group"),
        (b"\xff\xfe\x00\n\x00", "must have the columns path and group"),
    ],
)
def test_a_table_that_cannot_be_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "groups.csv").write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        named(str(tmp_path / "groups.csv"))
