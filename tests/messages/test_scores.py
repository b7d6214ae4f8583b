"""Tests of the scores in a label: a header for each class, or one for many classes."""

import re
import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.messages.answers import Label
from catdog_stream.messages.labels import verdict_label
from catdog_stream.messages.scores import ScoreLimits, checked_template, read_scores
from catdog_stream.messages.votes import Vote
from catdog_stream.messages.wire import Answer, Headers, Incoming, Source
from catdog_stream.models.classes import RESERVED, checked_classes, header_names
from catdog_stream.models.verdict import Verdict

SOURCE = Source("catdogimage", 3, 42)
ODD = ("Größe Å", "a/b", '"quoted"', "cat,dog", "<b>", "🐱", "rate 5.0% a", "Cat", "cat", "dog's")


def label_of(verdict: Verdict, limits: ScoreLimits, headers: Headers = ()) -> Answer:
    return verdict_label(
        Incoming(SOURCE, None, None, headers, None),
        text=limits.text(verdict),
        url="url",
        verdict=verdict.label,
        scores=verdict.scores,
        stack=verdict.stack,
        limits=limits,
    )


def many(number: int = 1000) -> Verdict:
    weights = {f"class {n}": 1.0 / (1 + (n - 7) ** 2) for n in range(number)}
    total = sum(weights.values())
    return Verdict({name: weight / total for name, weight in weights.items()}, "many 1")


def read(answer: Answer) -> Label:
    label = Label.parse(answer.value, answer.headers)
    assert label is not None
    return label


def test_a_label_with_a_thousand_classes_has_the_likeliest_five_in_one_header() -> None:
    verdict = many()
    answer = label_of(verdict, ScoreLimits(), [("scores", b"theirs"), ("class 7", b"theirs")])
    assert [name for name, _ in answer.headers] == [
        *("class 7", "verdict", "scores", "stack", "source")
    ]
    names = ["class 7", "class 6", "class 8", "class 5", "class 9"]
    found = orjson.loads(dict(answer.headers)["scores"])
    assert list(found) == names
    assert found == {name: verdict.scores[name] for name in names}
    label = read(answer)
    assert (label.verdict, dict(label.scores)) == ("class 7", found)
    shown = [f"{name} {100 * found[name]:.1f}%" for name in names]
    assert label.text == f"Probabilities: {' '.join(shown)}"
    assert answer.size < 1000


@pytest.mark.parametrize(("classes", "headers"), [(16, 16), (17, 1)])
def test_up_to_sixteen_classes_have_a_header_each(classes: int, headers: int) -> None:
    scores = {f"class-{n}": 1 / classes for n in range(classes)}
    answer = label_of(Verdict(scores, "some 1"), ScoreLimits())
    assert len(answer.headers) == headers + 3
    assert ("scores" in dict(answer.headers)) == (headers == 1)
    assert read(answer).scores == dict(list(scores.items())[: 16 if headers > 1 else 5])


def test_limits_may_be_lower_than_the_number_of_scores() -> None:
    answer = label_of(Verdict({"a": 0.2, "b": 0.7, "c": 0.1}, "some 1"), ScoreLimits(2, 5))
    assert dict(answer.headers)["scores"] == b'{"b":0.7,"a":0.2,"c":0.1}'
    assert read(answer).text == "Probabilities: b 70.0% a 20.0% c 10.0%"


def test_any_text_is_read_back_as_a_class() -> None:
    verdict = Verdict(dict.fromkeys(ODD, 1 / len(ODD)), "odd 1")
    assert checked_classes(ODD) == ODD
    answer = label_of(verdict, ScoreLimits())
    label = read(answer)
    assert dict(label.scores) == dict(verdict.scores)
    assert label.verdict == ODD[0]
    headers = dict(answer.headers)
    assert len(headers) == len(answer.headers) == len(ODD) + 4
    for name, header in header_names(ODD).items():
        assert float(headers[header]) == verdict.scores[name]


def test_only_names_that_cannot_be_headers_are_changed() -> None:
    assert header_names(("cat", "Cat", "a_b-1.c")) == {n: n for n in ("cat", "Cat", "a_b-1.c")}
    assert header_names(("a/b", "a b", "a-b", "a-b-2")) == {
        "a/b": "a-b-3",
        "a b": "a-b-4",
        "a-b": "a-b",
        "a-b-2": "a-b-2",
    }
    assert list(header_names(("🐱", "🐶", "Größe Å", "source")).values()) == [
        *("class", "class-2", "Groe-A", "source-2")
    ]


def test_a_long_name_that_can_be_a_header_is_read_from_it() -> None:
    verdict = Verdict({"a" * 64: 0.125, "B.c": 0.875}, "long 1")
    answer = label_of(verdict, ScoreLimits())
    assert "scores" not in dict(answer.headers)
    assert dict(read(answer).scores) == dict(verdict.scores)


@given(st.lists(st.text(max_size=8), min_size=2, max_size=20, unique=True))
def test_headers_of_classes_differ_from_each_other_and_from_all_others(names: list[str]) -> None:
    headers = header_names(tuple(names))
    assert list(headers) == names
    assert len(set(headers.values())) == len(names)
    assert RESERVED.isdisjoint(headers.values())
    for name, header in headers.items():
        assert re.fullmatch("[A-Za-z0-9_.-]+", header)
        if re.fullmatch("[A-Za-z0-9_]+", name) and name not in RESERVED:
            assert header == name


@pytest.mark.parametrize("header", [None, b"", b"0.9", b"[1]", b'{"a": 2}', b'{"a": "x"}', b"{"])
def test_a_header_that_is_no_object_of_scores_is_not_read(header: bytes | None) -> None:
    assert read_scores(header) == {}
    headers = [("scores", header), ("cat", b"0.99912")] if header is not None else []
    label = Label.parse(b'{"label": "Probabilities: cat 99.9% dog 0.1%"}', headers)
    assert label is not None
    assert label.scores == pytest.approx({"cat": 0.999, "dog": 0.001}, abs=2e-4)


def test_a_vote_on_a_thousand_classes_keeps_every_score_and_stays_small() -> None:
    names = [f"a long name of a class, {number}" for number in range(1000)]
    scores = dict(zip(names, many().scores.values(), strict=True))
    vote = Vote("lite", SOURCE, Verdict(scores, "many 1"))
    text = vote.dump()
    assert len(text) < 64 * 1024
    assert Vote.parse(text) == vote


def test_a_label_of_a_thousand_classes_takes_little_time() -> None:
    verdict = many()
    started = time.perf_counter()
    for _ in range(100):
        label_of(verdict, ScoreLimits())
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Probabilities: {scores}", "Probabilities: cat 91.0% {dog} 9.0%"),
        (
            "It is a {verdict} ({probability:.1%}), {{says}} {stack}",
            "It is a cat (91.0%), {says} a 1",
        ),
        ("no name", "no name"),
    ],
)
def test_a_template_is_filled_and_its_label_is_read_by_its_header(template: str, text: str) -> None:
    verdict = Verdict({"cat": 0.91, "{dog}": 0.09}, "a 1")
    limits = ScoreLimits(template=checked_template(template))
    label = read(label_of(verdict, limits))
    assert label.text == text
    assert (label.verdict, label.scores) == ("cat", verdict.scores)


@pytest.mark.parametrize(
    "template",
    [
        "{animal}",
        "{",
        "{}",
        "{0}",
        "{verdict.__class__}",
        "{scores[0]}",
        "{verdict:{scores}}",
        "{verdict:d}",
        "{verdict:1000}",
        "{probability:.99999999999f}",
        "\udcfc {scores}",
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"\{verdict\}, \{probability\}, \{scores\}, \{stack\}"):
        checked_template(template)
