"""Tests of the templates: whatever their values are, these stay text of one line."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jinja2 import ChoiceLoader, DictLoader, PackageLoader, UndefinedError

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page import rendering
from catdog_stream.web.page.document import fragments, render
from catdog_stream.web.page.rendering import render_template
from catdog_stream.web.page.summary import spoken, title
from catdog_stream.web.page.text import MAX_SHOWN
from catdog_stream.web.page.upload_form import Offers
from catdog_stream.web.recording.history import Slot
from catdog_stream.web.recording.pictures import Shot
from catdog_stream.web.recording.recorder import Rejected
from tests.web.cluster_views import NOW, cluster, worker
from tests.web.page.reading import Reader

HARMLESS = "harmless"
#: Markup, ends of attributes, template syntax, a change of the writing direction, a zero byte, line
#: breaks, half a character, and a private one.
HOSTILE = "\"'></p><img src=x onerror=y>&{{ 7 * 7 }}\u202e\x00\r\n\u2028\ud800\ue000"
ESCAPED = (
    "&#34;&#39;&gt;&lt;/p&gt;&lt;img src=x onerror=y&gt;&amp;{{ 7 * 7 }}"
    r"\u202e\x00\r\n\u2028\ud800\ue000"
)
#: Parts that show only numbers.
NUMBERS = {"rate-body", "latency-body", "partitions-body"}


def view(text: str) -> ClusterView:
    """Return a cluster in which ``text`` stands wherever others decide what stands there."""
    finding = {"quantity": "verdicts", "since": NOW - 60, "index": 0.5, "limit": 0.2}
    shadow = {"stack": text, "share": 0.5, "dropped": 3, "problem": text}
    facts: dict[str, Any] = {
        **dict.fromkeys(("voter", "role", "loading", "refused"), text),
        "absent": [text],
        "canary": {"stack": text, "share": 0.5},
        "shadow": {**shadow, "tallies": {text: [2, 0.5, 0.1, 0.2]}},
        "drift": {
            **{"stack": text, "verdicts": 900, "measured": 500},
            "findings": [{**finding, "shares": {text: (0.5, 0.9)}}],
        },
    }
    state: dict[str, Any] = {"stack": text, "version": text, "classes": [text], "facts": facts}
    return cluster(
        {text: 3},
        {text: 2, "not_json": 1},
        worker(**state, partitions=[1, 2], since=NOW - 90),
        worker(f"http://{text}", "silent", 75.0, **state, problems=[text]),
        worker(f"http://b{text}", "answers", **state, problems=[text]),
        worker(f"http://c{text}", "lost", 20.0, gone=9.0),
        hour={int(NOW) // 10 * 10 - 20: Slot({text: 5}, 1)},
        in_hour=Slot({text: 5}, 1),
        pictures=[Shot(text, NOW, text, 0.5, stack, text, "a/0/0") for stack in (text, "")],
        rejected={text: Rejected(NOW, text, text)},
        lag={0: 7, 1: None},
    )


def parts(text: str) -> Mapping[str, str]:
    whole = view(text)
    page = render(whole, "/static/0/", Offers(fetch=True, heic=True))
    return {**fragments(whole), "page": page}


@pytest.mark.parametrize("name", parts(HARMLESS))
def test_hostile_text_stays_text_in_every_part(name: str) -> None:
    html, harmless = parts(HOSTILE)[name], parts(HARMLESS)[name]
    assert (ESCAPED in html) == (name not in NUMBERS)
    for part in ("\"'>", "<img src=x", "49"):
        assert part not in html
    assert html.replace("\n", "").isprintable()
    reader = Reader(html)  # which refuses attributes that are scripts, and foreign addresses
    assert reader.open == []
    assert html.count("<") == harmless.count("<")
    assert html.count('"') == harmless.count('"')


def test_programs_and_screen_readers_get_text_that_is_not_html() -> None:
    for text in (title(view(HOSTILE)), spoken(view(HOSTILE))):
        assert "pictures voted on by \"'></p><img src=x onerror=y>&{{ 7 * 7 }}\\u202e" in text


def compile_all() -> Iterator[tuple[str, str]]:
    environment = rendering._TEMPLATES
    assert environment.loader is not None
    for name in environment.list_templates():
        environment.get_template(name)
        yield name, environment.loader.get_source(environment, name)[0]


def test_no_template_turns_escaping_off() -> None:
    sources = dict(compile_all())
    assert {"layout.html", "page.html", "sections/labels.html"} <= sources.keys()
    for source in sources.values():
        for means in ("safe", "autoescape", " ~ "):
            assert means not in source


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that renders the source of a template."""

    def render_source(source: str, **values: Any) -> str:
        loaders = [DictLoader({"it.html": source}), PackageLoader("catdog_stream.web")]
        monkeypatch.setattr(rendering._TEMPLATES, "loader", ChoiceLoader(loaders))
        return render_template("it.html", **values)

    return render_source


def test_a_further_page_is_a_template_of_the_layout(template: Any) -> None:
    html = template(
        """
        {%- extends "layout.html" %}
        {% block title %}Rollouts of {{ stack }}{% endblock %}
        {% block header %}<h1>Rollouts</h1>{% endblock %}
        {% block main %}<p>{{ stack }}</p>{% endblock %}
        """,
        static="/static/0/",
        stack="<pets>",
    )
    reader = Reader(html)
    assert reader.open == []
    assert "Rollouts of <pets>" in reader.text
    assert '<link rel="stylesheet" href="/static/0/style.css">' in html
    assert "page.js" not in html


def test_any_value_is_cut_and_shown_as_one_line(template: Any) -> None:
    assert template("{{ fact }}", fact=["<\u202e", 7]) == "[&#39;&lt;\\u202e&#39;, 7]"
    assert template("{{ fact }}", fact="x" * 999) == "x" * (MAX_SHOWN - 1) + "…"
    assert template("{{ fact|limit(3) }}", fact="<<<<") == "&lt;&lt;…"
    assert template("{{ fact|limit(500) }}", fact="x" * 499) == "x" * 499


def test_a_missing_value_is_an_error(template: Any) -> None:
    with pytest.raises(UndefinedError, match="missing"):
        template("{{ missing }}")


def test_line_breaks_between_tags_are_left_out_and_lines_are_numbered(template: Any) -> None:
    source = "<ul>\n  {% for n in (1, 2) %}\n  <li>{{ n }}</li>\n  {% endfor %}\n</ul>\n{{ gone }}"
    assert template(source, gone="a b\n") == r"<ul><li>1</li><li>2</li></ul>a b\n"
    with pytest.raises(UndefinedError) as error:
        template(source)
    assert [each.lineno + 1 for each in error.traceback if str(each.path) == "<template>"] == [6]
