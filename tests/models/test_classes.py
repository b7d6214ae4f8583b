"""Tests of the names of classes, which come from folders, manifests and votes."""

import time

import pytest

from catdog_stream.models.classes import RESERVED, checked_classes

MANY = tuple(f"class {number}" for number in range(1000))


@pytest.mark.parametrize(
    "name",
    [
        "",
        " cat",
        "cat ",
        "\u00a0cat",
        "a\nb",
        "a\tb",
        "\ud800",
        "c" * 65,
        7,
        None,
        *sorted(RESERVED),
    ],
)
def test_names_that_cannot_be(name: object) -> None:
    with pytest.raises(ValueError, match="cannot be a class"):
        checked_classes(["cat", name])


@pytest.mark.parametrize("names", [["cat"], ["cat", "cat"]])
def test_classes_are_at_least_two_that_differ(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"there twice|two classes"):
        checked_classes(names)


def test_any_text_is_a_name() -> None:
    names = ("Größe Å", "a/b", '"quoted"', "cat,dog", "<b>", "🐱", "Cat", "cat", "other", "é" * 64)
    assert checked_classes(names) == names


def test_many_classes_have_no_headers_that_a_name_could_replace() -> None:
    assert checked_classes([*MANY, "verdict", "source"]) == (*MANY, "verdict", "source")
    for name in ("unknown", "other"):
        with pytest.raises(ValueError, match=f"'{name}' cannot be a class: other pictures are"):
            checked_classes([*MANY, name])


def test_a_vote_on_very_many_classes_takes_no_time() -> None:
    """Check the time because the jury reads such a vote between two others."""
    names = tuple(f"class-{number}" for number in range(50_000))
    started = time.perf_counter()
    assert checked_classes(names) == names
    assert time.perf_counter() - started < 2
