"""Tests of the page's sections about canary, shadow and drift, on any worker."""

from typing import Any

import orjson
import pytest

from catdog_stream.errors import StackError
from catdog_stream.models.stacks.reference import Reference
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.drift import Drift
from catdog_stream.pipeline.sampling import Sample
from catdog_stream.pipeline.shadow.comparing import Comparison
from catdog_stream.pipeline.shadow.process import Assignment
from catdog_stream.pipeline.shadow.watching import Shadow
from catdog_stream.web.live import facts
from catdog_stream.web.page.document import render
from tests.web.cluster_views import NOW, cluster, worker
from tests.web.page.reading import Reader


def nowhere() -> Assignment:
    raise StackError("There is none.")


def shadow() -> Shadow:
    return Shadow(Sample(b"shadow", 0.5), nowhere, patience=1)


def page(name: str, fact: Any) -> Reader:
    reader = Reader(render(cluster({}, {}, worker(facts={name: fact})), "/static/0/"))
    assert reader.open == []
    return reader


def test_a_canary_is_named_with_its_share() -> None:
    text = page("canary", {"stack": "pets 2", "share": 0.05}).text
    assert "pets 2 answers 5.0% of the requests of here:6066." in text


def test_a_shadow_that_is_not_there_yet_says_so() -> None:
    assert "It is being loaded, in here:6066." in page("shadow", facts._shadow(shadow(), 0.5)).text


def test_what_a_shadow_found_stands_there_by_who_answered() -> None:
    it = shadow()
    it.stack, it.dropped = "pets 3", 7
    for agree, difference in ((True, 0.1), (False, 0.8)):
        it._compared("pets 2", Comparison(agree, difference))
    reader = page("shadow", facts._shadow(it, 0.5))
    assert "pets 3 looks at 50.0%, in here:6066. 7 not looked at" in reader.text
    row = reader.cells.index("pets 2")
    assert reader.cells[row : row + 5] == ["pets 2", "2", "50.0%", "0.450", "0.800"]


def test_a_problem_shows_and_stays_text() -> None:
    it = shadow()
    it.problem = "<b>It ended.</b>"
    assert it.problem in page("shadow", facts._shadow(it, 1.0)).text


def drifted(label: str, times: int) -> Drift:
    measured = [
        Verdict({"cat": chance, "dog": 1 - chance}, "pets 2")
        for chance in [0.9 + number / 2000 for number in range(100)]
    ]
    swapped = [
        Verdict({"cat": each.scores["dog"], "dog": each.scores["cat"]}, "pets 2")
        for each in measured
    ]
    drift = Drift("pets 2", Reference.of([*measured, *swapped]), lambda: NOW - 60)
    for verdict in (measured if label == "cat" else swapped) * times:
        drift.observe(verdict)
    return drift


def test_of_a_thousand_verdicts_those_that_differ_most_are_shown() -> None:
    names = [f"class {n}" for n in range(1000)]

    def verdict(label: str) -> Verdict:
        scores = dict.fromkeys(names, 0.0) | {label: 1.0}
        return Verdict(scores, "pets 2", 0.5, unknown=label == "class 1")

    drift = Drift("pets 2", Reference.of(verdict(name) for name in names * 2), lambda: NOW - 60)
    for name in [*names[:300], *["class 7"] * 100, *["class 9"] * 50]:
        drift.observe(verdict(name))
    fact = facts._drift(drift)
    assert fact is not None
    assert len(orjson.dumps(fact)) < 4096
    reader = page("drift", fact)
    assert "987 further verdicts differ less" in reader.text or "988 further" in reader.text
    at = reader.cells.index("class 7")
    assert reader.cells[at : at + 3] == ["class 7", "0.1%", "22.4%"]
    assert "class 9" in reader.cells
    assert "unknown" in reader.cells
    assert reader.text.count("class ") < 20


def test_verdicts_too_few_to_compare_are_said_to_be() -> None:
    text = page("drift", facts._drift(drifted("cat", 0))).text
    assert "too few to compare: 0 of 100." in text


def test_drift_stands_there_with_its_meaning_and_both_shares() -> None:
    reader = page("drift", facts._drift(drifted("dog", 5)))
    assert "Drift, begun 1 min ago: other verdicts are given" in reader.text
    row = reader.cells.index("dog")
    assert reader.cells[row : row + 3] == ["dog", "50.0%", "100.0%"]


@pytest.mark.parametrize("name", ["canary", "shadow", "drift"])
@pytest.mark.parametrize(
    "fact", [None, 7, "x", [], {}, {"stack": "<b>"}, {"findings": [7]}, {"tallies": {"a": [1]}}]
)
def test_what_a_worker_of_another_version_tells_is_left_out(name: str, fact: Any) -> None:
    page(name, fact)
