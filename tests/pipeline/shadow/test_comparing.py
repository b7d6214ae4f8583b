"""Tests of the comparison of two verdicts."""

import pytest

from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.shadow.comparing import Comparison, Tally, compare


def says(cat: float, *, unknown: bool = False) -> Verdict:
    return Verdict({"cat": cat, "dog": 1 - cat}, "a 1", unknown=unknown)


def test_two_classes_are_as_far_apart_as_the_chance_of_either() -> None:
    compared = compare(says(0.9), says(0.6))
    assert compared.agree
    assert compared.difference == pytest.approx(0.3)


def test_on_two_sides_of_the_middle_they_disagree_however_near_they_are() -> None:
    compared = compare(says(0.501), says(0.499))
    assert not compared.agree
    assert compared.difference == pytest.approx(0.002)


def test_an_unknown_picture_is_no_cat() -> None:
    assert not compare(says(0.9), says(0.9, unknown=True)).agree


def test_a_class_that_one_does_not_know_has_no_chance_with_it() -> None:
    other = Verdict({"cat": 0.5, "bird": 0.5}, "b 1")
    assert compare(says(0.8), other) == Comparison(agree=True, difference=0.5)


def test_a_tally_adds_them_up() -> None:
    tally = Tally()
    assert (tally.agreement, tally.mean, tally.largest) == (0, 0, 0)
    for shadow in (0.9, 0.6, 0.1):
        tally.add(compare(says(0.9), says(shadow)))
    assert tally.compared == 3
    assert tally.agreement == pytest.approx(2 / 3)
    assert tally.mean == pytest.approx(1.1 / 3)
    assert tally.largest == pytest.approx(0.8)
