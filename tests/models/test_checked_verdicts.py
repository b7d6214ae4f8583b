"""Tests that the result of any classifier is a verdict of its classes, or rejects its picture."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.errors import RejectedRequest
from catdog_stream.messages.votes import Vote
from catdog_stream.messages.wire import Source
from catdog_stream.models.checked_verdicts import checked_verdicts
from catdog_stream.models.verdict import Verdict

CLASSES = ("cat", "dog")
CAT = Verdict({"cat": 0.75, "dog": 0.25}, "test 1", 0.5, notes={"votes": "{}"})


def scores(cat: Any, dog: Any) -> list[Verdict]:
    return [Verdict({"cat": cat, "dog": dog}, "test 1")]


def test_verdicts_stay_as_they_are() -> None:
    assert checked_verdicts([CAT, CAT], 2, CLASSES) == [CAT, CAT]
    assert checked_verdicts(iter([CAT]), 1, ("dog", "cat")) == [CAT]
    assert checked_verdicts([], 0, CLASSES) == []


def test_numbers_of_numpy_and_of_little_precision_become_floats_in_0_to_1() -> None:
    given = Verdict(
        {"cat": np.float32(1.0000001), "dog": np.float16(-1e-7)},  # type: ignore[dict-item]
        "test 1",
        np.float32(1),  # type: ignore[arg-type]
        np.bool_(True),  # type: ignore[arg-type]
    )
    (found,) = checked_verdicts([given], 1, CLASSES)
    assert found == Verdict({"cat": 1.0, "dog": 0.0}, "test 1", 1.0, True)
    assert {type(probability) for probability in found.scores.values()} == {float}
    assert type(found.unknown) is bool


@pytest.mark.parametrize(
    "verdicts",
    [
        pytest.param([], id="none"),
        pytest.param([CAT, CAT], id="too many"),
        pytest.param(None, id="nothing"),
        pytest.param([None], id="None"),
        pytest.param([{"cat": 1.0, "dog": 0.0}], id="scores"),
        pytest.param([Verdict([0.5, 0.5], "test 1")], id="a list"),  # type: ignore[arg-type]
        pytest.param([Verdict({"cat": 1.0}, "test 1")], id="a class too few"),
        pytest.param([Verdict({"cat": 0.5, "cow": 0.5}, "test 1")], id="another class"),
        pytest.param([Verdict({"cat": 0.5, "dog": 0.25, "cow": 0.25}, "test 1")], id="one more"),
        pytest.param([Verdict(CAT.scores, "")], id="no stack"),
        pytest.param([Verdict(CAT.scores, "a\nb")], id="a stack on two lines"),
        pytest.param([Verdict(CAT.scores, "x" * 201)], id="a stack without end"),
        pytest.param([Verdict(CAT.scores, "test 1", math.nan)], id="familiarity"),
        pytest.param([Verdict(CAT.scores, "test 1", notes={"source": "a/1/1"})], id="a source"),
        pytest.param([Verdict(CAT.scores, "test 1", notes={"cat": "1"})], id="a class as a note"),
        *(
            pytest.param(scores(*probabilities), id=repr(probabilities))
            for probabilities in (
                (math.nan, 0.5),
                (math.nan, math.nan),
                (math.inf, -math.inf),
                (1.5, -0.5),
                (0.5, 0.4),
                (2, 3),
                ("1", "0"),
                (True, False),
                (None, 1.0),
                (np.array([1.0]), 0.0),
            )
        ),
    ],
)
def test_anything_else_rejects_its_picture(verdicts: Any) -> None:
    with pytest.raises(RejectedRequest) as rejected:
        checked_verdicts(verdicts, 1, CLASSES)
    assert rejected.value.reason == "bad_verdict"
    assert rejected.value.detail.startswith("The model gave ")


@given(st.floats(), st.floats(), st.none() | st.floats())
def test_what_passes_can_be_written_as_a_label_and_as_a_vote(
    cat: float, dog: float, familiarity: float | None
) -> None:
    try:
        (found,) = checked_verdicts(
            [Verdict({"cat": cat, "dog": dog}, "test 1", familiarity)], 1, CLASSES
        )
    except RejectedRequest:
        return
    assert found.text.startswith("Probabilities: cat ")
    assert Vote.parse(Vote("lite", Source("catdogimage", 0, 0), found).dump()) is not None
