"""Tests of the page's first line, its title and its icon, for any problem."""

from typing import Any

import pytest

from catdog_stream.web.assets import _files
from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.document import fragments, render
from catdog_stream.web.page.health import icon
from catdog_stream.web.page.summary import spoken, title
from tests.web.cluster_views import cluster, worker
from tests.web.page.reading import Reader


def flow(arriving: float, answered: float, waiting: int, stalled: float = 0.0) -> dict[str, Any]:
    return {
        "flow": {
            "arriving": arriving,
            "answered": answered,
            "waiting": waiting,
            "stalled": stalled,
        }
    }


def view(*others: Any, **facts: Any) -> ClusterView:
    return cluster({"cat": 12}, {}, worker(facts=facts), *others)


OVERLOAD = view(**flow(30.0, 12.0, 399))
STALLED = view(**flow(30.0, 0.0, 399, 60.0))
LOST = view(worker("http://there:6067", "lost", 20.0, gone=9.0))
SILENT = view(worker("http://there:6067", "silent", 20.0))


@pytest.mark.parametrize(
    ("found", "line", "name", "file"),
    [
        (view(), "OK Working.", "12 pictures classified", "icon.svg"),
        (view(**flow(1.0, 1.0, 2)), "OK Working: 1.0/s arrive", "12 pictures", "icon.svg"),
        (
            OVERLOAD,
            "Warning Falling behind: 30/s arrive, 12/s answered, 399 waiting.",
            "⚠ Falling behind · 12 pictures classified",
            "icon-warning.svg",
        ),
        (
            STALLED,
            "Critical Nothing is answered: 30/s",
            "✕ Nothing is answered · 12 pictures classified",
            "icon-critical.svg",
        ),
        (
            LOST,
            "Warning there:6067 is lost",
            "⚠ A worker is lost · 12 pictures classified",
            "icon-warning.svg",
        ),
        (
            SILENT,
            "Warning there:6067 does not answer",
            "⚠ A worker does not answer · 12 pictures classified",
            "icon-warning.svg",
        ),
    ],
)
def test_the_first_line_the_title_and_the_icon_say_the_same(
    found: ClusterView, line: str, name: str, file: str
) -> None:
    assert line in Reader(fragments(found)["health"]).text
    assert title(found).startswith(name)
    assert icon(found) == file
    assert file in _files()
    page = render(found, "/static/0/")
    assert f'href="/static/0/{file}"' in page
    assert f"<title>{title(found)}</title>" in page
    assert page.index('id="health"') < page.index('id="summary"')


def test_what_else_is_wrong_stands_below_once() -> None:
    both = view(worker("http://there:6067", "lost", 20.0, gone=9.0), **flow(30.0, 0.0, 399, 60.0))
    parts = fragments(both)
    assert "there:6067" in parts["notices"]
    assert "there:6067" not in parts["health"]
    assert fragments(LOST)["notices"] == ""


def test_listeners_hear_what_is_wrong_first() -> None:
    assert spoken(LOST).startswith("there:6067 is lost")
    assert spoken(OVERLOAD).startswith("Falling behind: 30/s arrive")
    assert spoken(OVERLOAD).endswith("30.0 per second arrive, 0 are answered.")
    assert spoken(view()).startswith("12 pictures classified")


def test_arrivals_stand_beside_answers() -> None:
    text = Reader(fragments(OVERLOAD)["summary"]).text
    assert "arriving/s30.0answered/s0" in text
    assert "arriving/s-answered/s0" in Reader(fragments(view())["summary"]).text


def test_what_is_known_of_a_silent_worker_looks_old() -> None:
    for found in (SILENT, LOST):
        assert '<tr data-key="http://there:6067" class="stale">' in fragments(found)["workers-body"]


@pytest.mark.parametrize("fact", [7, "x", [], {}, {"arriving": "<b>"}, {"waiting": float("nan")}])
def test_facts_of_another_version_are_no_fault(fact: Any) -> None:
    assert "Working." in fragments(view(flow=fact, unready=fact, patience=fact))["health"]
