"""Tests of the alerts: they use exported metrics, and have a remedy."""

import re
from typing import Any

import pytest

from tests.ops.exported import SERIES
from tests.ops.files import OPS, read_yaml
from tests.ops.promql import mistakes

DOCS = OPS.parent / "docs"
RULES: list[dict[str, Any]] = [
    rule for group in read_yaml("prometheus/alerts.yaml")["groups"] for rule in group["rules"]
]
every_rule = pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])


@every_rule
def test_an_alert_asks_for_what_is_exported(rule: dict[str, Any]) -> None:
    assert mistakes(rule["expr"]) == []


@every_rule
def test_an_alert_says_how_bad_it_is_and_what_it_means(rule: dict[str, Any]) -> None:
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    for text in (rule["annotations"]["summary"], rule["annotations"]["description"]):
        assert text.strip()
        assert "\n" not in text


def test_alerts_and_their_tests_go_by_the_same_names() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    tested = {
        case["alertname"]
        for test in read_yaml("prometheus/alerts_test.yaml")["tests"]
        for case in test["alert_rule_test"]
    }
    assert tested <= set(names)


def test_a_mistake_in_an_expression_is_found() -> None:
    """Test the check itself."""
    assert mistakes("sum(catdog_lags)") == ["There is no metric catdog_lags."]
    assert mistakes('catdog_lag{part="1"}') == ["catdog_lag has no label part."]
    assert mistakes("sum by (kind) (catdog_lag)") == ["Nothing has a label kind."]
    with pytest.raises(ValueError, match=r".+"):
        mistakes("sum(catdog_lag")


def test_what_the_documents_name_is_exported() -> None:
    found = [
        each
        for document in ("operations.md", "shadow.md", "voting.md")
        for row in re.findall(r"^\| (`catdog_.*?) \|", (DOCS / document).read_text(), re.MULTILINE)
        for each in re.findall(r"`(catdog_\w+)(?:\{([\w,]+)\})?`", row)
    ]
    assert len(found) > 15
    for name, labels in found:
        series = SERIES.get(name) or SERIES.get(f"{name}_count")
        assert series is not None, f"{name} is documented and not exported"
        assert set(filter(None, labels.split(","))) <= series, f"{name} has other labels"
