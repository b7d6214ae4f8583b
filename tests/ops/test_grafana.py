"""Tests of the dashboard: its queries use exported metrics, and its panels do not overlap."""

import json
from itertools import combinations
from typing import Any

import pytest

from tests.ops.files import OPS
from tests.ops.promql import mistakes

BOARD: dict[str, Any] = json.loads((OPS / "grafana" / "catdog_stream.json").read_text())
PANELS: list[dict[str, Any]] = BOARD["panels"]
VARIABLES = {variable["name"] for variable in BOARD["templating"]["list"]}
#: Grafana's own variables, with example values.
GIVEN = {"$__rate_interval": "5m", "$job": "catdog-stream", "$instance": "a"}

every_panel = pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])


def given(expression: str) -> str:
    """Return the expression as Grafana sends it."""
    for name, value in GIVEN.items():
        expression = expression.replace(name, value)
    return expression


@every_panel
def test_a_panel_asks_for_what_is_exported(panel: dict[str, Any]) -> None:
    assert panel["targets"]
    for target in panel["targets"]:
        assert mistakes(given(target["expr"])) == []


@every_panel
def test_a_panel_asks_the_prometheus_that_was_chosen(panel: dict[str, Any]) -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    assert panel["datasource"] == chosen
    assert all(target["datasource"] == chosen for target in panel["targets"])
    assert {"datasource", "job", "instance"} == VARIABLES


def test_panels_do_not_lie_on_each_other() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for one, other in combinations((panel["gridPos"] for panel in PANELS), 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y
        assert one["x"] + one["w"] <= 24
