"""Tests of the reference verdicts of a stack, which its manifest stores."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins

from catdog_stream.documents import convert
from catdog_stream.models.stacks.reference import Histogram, Reference
from catdog_stream.models.verdict import Verdict

CLASSES = ("cat", "dog")


def verdict(dog: float, familiarity: float | None = None) -> Verdict:
    unknown = familiarity is not None and familiarity < 0.1
    return Verdict({"cat": 1 - dog, "dog": dog}, "pets 1", familiarity, unknown=unknown)


def read(document: Any) -> Reference:
    reference = convert(document, Reference)
    reference.check(CLASSES)
    return reference


def test_verdicts_are_counted_by_what_they_are_called() -> None:
    reference = Reference.of([verdict(0.9, 0.5), verdict(0.8, 0.05), verdict(0.1, 0.9)])
    assert reference.verdicts == {"cat": 1, "dog": 1, "unknown": 1}
    assert reference.confidence.mean == pytest.approx((0.9 + 0.8 + 0.9) / 3)
    assert reference.familiarity is not None
    assert reference.familiarity.mean == pytest.approx(1.45 / 3)


def test_a_stack_that_cannot_tell_has_no_unknown() -> None:
    reference = Reference.of([verdict(0.9), verdict(0.8)])
    assert reference.verdicts == {"cat": 0, "dog": 2}
    assert reference.familiarity is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200))
def test_bins_hold_all_numbers_and_each_number_is_in_its_bin(values: list[float]) -> None:
    histogram = Histogram.of(values)
    counts = [0] * len(histogram.counts)
    for value in values:
        counts[histogram.bin_of(value)] += 1
    assert tuple(counts) == histogram.counts
    assert sum(counts) == len(values)


def test_bins_are_equally_full_where_numbers_differ() -> None:
    assert Histogram.of([n / 1000 for n in range(1000)]).counts == (100,) * 10


@given(
    st.lists(
        st.builds(verdict, st.floats(0, 1), st.none())
        | st.builds(verdict, st.floats(0, 1), st.floats(0, 1)),
        min_size=1,
    )
)
def test_what_is_written_is_read_back(verdicts: list[Verdict]) -> None:
    reference = Reference.of(verdicts)
    assert read(json.loads(json.dumps(to_builtins(reference)))) == reference


GOOD = to_builtins(Reference.of([verdict(n / 10, n / 10) for n in range(10)]))
BINS = GOOD["confidence"]
WRONG_VERDICTS: list[Any] = [
    [],
    {"cat": 1},
    {"cat": 1, "dog": -1},
    {"cat": 1, "dog": 1.5},
    {"cat": 1, "dog": 1, "cow": 1},
    {"cat": 0, "dog": 0},
    {"cat": 1, "dog": 10**400},
]


@pytest.mark.parametrize(
    "document",
    [
        *(None, [], {"verdicts": {"cat": 1, "dog": 1}}, {**GOOD, "more": 1}),
        *({**GOOD, "verdicts": verdicts} for verdicts in WRONG_VERDICTS),
        *(
            {**GOOD, "confidence": histogram}
            for histogram in (
                None,
                {**BINS, "mean": float("nan")},
                {**BINS, "mean": "0.5"},
                {**BINS, "edges": [0.5, 0.4]},
                {**BINS, "edges": [0.5, float("inf")]},
                {**BINS, "counts": BINS["counts"][1:]},
                {**BINS, "counts": [0] * len(BINS["counts"])},
                {"mean": 0.5, "edges": [n / 1000 for n in range(1000)], "counts": [1] * 1001},
            )
        ),
        {**GOOD, "familiarity": {}},
    ],
)
def test_what_cannot_be_is_refused(document: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011, whatever is said of it
        read(document)
