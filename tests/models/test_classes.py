"""Tests of the names of classes, which come from folders, manifests and votes."""

import time

import pytest

from catdog_stream.models.classes import checked_classes


@pytest.mark.parametrize("names", [["cat"], ["cat", "cat"], ["cat", "verdict"], ["Cat", "dog"]])
def test_names_that_cannot_be(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"class|two classes"):
        checked_classes(names)


def test_a_vote_on_very_many_classes_takes_no_time() -> None:
    """Check the time because the jury reads such a vote between two others."""
    names = tuple(f"class-{number}" for number in range(50_000))
    started = time.perf_counter()
    assert checked_classes(names) == names
    assert time.perf_counter() - started < 2
