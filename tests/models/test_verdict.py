"""Tests of the text of a verdict, to the byte, and of its label."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.models.verdict import Verdict


@pytest.mark.parametrize(
    ("cat", "text"),
    [
        (0.999, "Probabilities: cat 99.9% dog 0.1%"),
        (1.0, "Probabilities: cat 100.0% dog 0.0%"),
        (0.0, "Probabilities: cat 0.0% dog 100.0%"),
        (0.9996, "Probabilities: cat 100.0% dog 0.0%"),
        (0.12345, "Probabilities: cat 12.3% dog 87.7%"),
        (0.5, "Probabilities: cat 50.0% dog 50.0%"),
        (0.0555, "Probabilities: cat 5.6% dog 94.4%"),
    ],
)
def test_the_text_of_a_verdict_adds_up(cat: float, text: str) -> None:
    assert Verdict({"cat": cat, "dog": 1 - cat}, "test 1").text == text


def test_the_label_of_a_verdict_is_the_likelier_class() -> None:
    assert Verdict({"cat": 0.6, "dog": 0.4}, "test 1").label == "cat"
    assert Verdict({"cat": 0.4, "dog": 0.6}, "test 1").label == "dog"


def test_three_classes_keep_their_order() -> None:
    verdict = Verdict({"red": 0.2, "green": 0.7, "blue": 0.1}, "colours 1")
    assert verdict.label == "green"
    assert verdict.text == "Probabilities: red 20.0% green 70.0% blue 10.0%"


@given(st.lists(st.floats(1e-6, 1), min_size=2, max_size=30))
def test_any_text_adds_up_to_a_hundred_and_has_nothing_negative(weights: list[float]) -> None:
    scores = {f"class-{number}": each / sum(weights) for number, each in enumerate(weights)}
    tenths = re.findall(r" (\d+)\.(\d)%", Verdict(scores, "test 1").text)
    assert len(tenths) == len(weights)
    assert sum(int(whole) * 10 + int(tenth) for whole, tenth in tenths) == 1000
