"""Tests of the names of classes in the lists and texts of other libraries."""

from pathlib import Path
from typing import Any

import pytest

from catdog_stream.errors import InputError
from catdog_stream.models.importing.class_names import (
    names_in_document,
    names_in_option,
    names_in_text,
    usable,
)


@pytest.mark.parametrize(
    "document",
    [
        ["cat", "dog"],
        {0: "cat", 1: "dog"},  # Ultralytics
        {"1": "dog", "0": "cat"},  # Hugging Face
        {"0": ["n02121808", "cat"], "1": ["n02084071", "dog"]},  # Keras
    ],
)
def test_names_are_read_from_each_kind_of_document(document: Any) -> None:
    assert names_in_document(document) == ("cat", "dog")


@pytest.mark.parametrize(
    "document",
    [None, "cat", 3, {"0": "cat", "2": "dog"}, {"cat": 0}, {"a": "b"}, [1, 2], [[], "a"], [None]],
)
def test_other_documents_are_refused(document: Any) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        names_in_document(document)
    assert str(refused.value)


def test_numbers_before_the_names_are_left_out_where_they_number_them() -> None:
    assert names_in_text("0 Class 1\n1 Class 2\n\n") == ("Class 1", "Class 2")
    assert names_in_text("0:cat\n1: dog") == ("cat", "dog")
    assert names_in_text("7 up\n 7 down") == ("7 up", "7 down")
    assert names_in_text(" cat \r\ndog\r\n") == ("cat", "dog")


def test_the_option_is_a_file_or_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("cat\ndog\n")
    Path("a.json").write_text('["cat", "dog"]')
    for value in ("a.txt", "a.json", "cat, dog"):
        assert names_in_option(value) == ("cat", "dog")
    Path("b.json").write_text("[" * 100_000)
    Path("c.json").write_text("{")
    Path("d.txt").write_bytes(b"\xff\xfe")
    for value in ("b.json", "c.json", "d.txt", "nowhere"):
        with pytest.raises(InputError, match=r"^--classes: "):
            names_in_option(value)


def test_names_of_imagenet_become_short_and_different() -> None:
    long = "tiger shark, " + "Galeocerdo cuvieri, " * 4
    assert usable(("crane", long, "crane", "crane")) == (
        "crane",
        "tiger shark",
        "crane_2",
        "crane_3",
    )
    assert usable(("a", "a_2", "a")) == ("a", "a_2", "a_3")
