"""Tests of the metrics of answers: their number is limited, and no counter disappears."""

import pytest
from prometheus_client import REGISTRY, generate_latest

from catdog_stream import metrics
from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.answer_metrics import AnswerMetrics
from catdog_stream.pipeline.observing import Answered
from catdog_stream.pipeline.outcome import Classified
from catdog_stream.pipeline.timings import Timings

NAMES = [f"class {n}" for n in range(1000)]
INCOMING = Incoming(Source("catdogimage", 1, 2), None, b"", (), None)


@pytest.fixture(autouse=True)
def values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start with no values, as a process does."""
    monkeypatch.setattr(metrics, "_label_and_stack", metrics.Values(metrics.MAX_PAIRS))
    monkeypatch.setattr(metrics, "stack_value", metrics.Values())


def answer(observer: AnswerMetrics, label: str, stack: str) -> None:
    unknown = label == "unknown"
    scores = dict.fromkeys(NAMES, 0.0) | ({} if unknown else {label: 1.0})
    verdict = Verdict(scores, stack, unknown=unknown)
    observer.answered(Answered(INCOMING, Classified("url", verdict), None, Timings()))


def counts(stack: str) -> dict[str, float]:
    return {
        sample.labels["label"]: sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "catdog_labels_total" and sample.labels["stack"] == stack
    }


def test_of_a_thousand_labels_the_first_fifty_are_counted_and_the_others_together() -> None:
    observer = AnswerMetrics(50)
    for number in range(3):
        for name in NAMES if number else NAMES[:60]:
            answer(observer, name, "many 1")
    found = counts("many 1")
    assert found == dict.fromkeys(NAMES[:50], 3) | {"other": 10 + 2 * 950}


def test_the_most_frequent_so_far_are_chosen_and_stay() -> None:
    before = [{"class 900": 5, "class 30": 9, "gone": 99}, {"class 900": 5, "class 2": 1}]
    observer = AnswerMetrics(2, lambda: before)
    for name in ["class 1", "class 2", "class 900", "class 30", "class 900"]:
        answer(observer, name, "many 2")
    before[0]["class 1"] = 1000
    answer(observer, "class 1", "many 2")
    answer(observer, "unknown", "many 2")
    assert counts("many 2") == {"other": 3, "class 900": 2, "class 30": 1, "unknown": 1}


def test_another_stack_has_labels_of_its_own() -> None:
    observer = AnswerMetrics(1, lambda: [{"cat": 5}])
    answer(observer, "class 1", "many 3")
    answer(observer, "class 2", "many 4")
    assert (counts("many 3"), counts("many 4")) == ({"class 1": 1}, {"class 2": 1})


def test_any_name_of_a_class_is_a_value() -> None:
    observer = AnswerMetrics()
    for name in ('"quoted"', "a\\b", "Größe Å", "<b>"):
        answer(observer, name, "odd 1")
    text = generate_latest(REGISTRY).decode()
    assert r'catdog_labels_total{label="\"quoted\"",stack="odd 1"} 1.0' in text
    assert r'catdog_labels_total{label="a\\b",stack="odd 1"} 1.0' in text
    assert 'catdog_labels_total{label="Größe Å",stack="odd 1"} 1.0' in text
