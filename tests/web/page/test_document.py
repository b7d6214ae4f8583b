"""Tests of the page: readable, complete without a script, and safe for any content."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.errors import REPLAY_ADVICE, Reason
from catdog_stream.web.page.charting import points
from catdog_stream.web.page.document import fragments, render
from catdog_stream.web.page.parts import colors
from catdog_stream.web.recording.history import Slot
from catdog_stream.web.recording.latency import bin_of
from catdog_stream.web.recording.pictures import Shot
from catdog_stream.web.recording.recorder import Rejected
from tests.web.cluster_views import NOW, cluster, worker
from tests.web.page.reading import Reader


def page(*arguments: Any, **more: Any) -> Reader:
    reader = Reader(render(cluster(*arguments, **more), "/static/0/"))
    assert reader.open == []
    return reader


def test_labels_are_listed_with_their_shares_the_most_frequent_first() -> None:
    reader = page({"cat": 1234, "dog": 3702}, {"not_json": 2})
    cells = [cell.strip() for cell in reader.cells]
    dog = cells.index("dog")
    assert cells[dog : dog + 3] == ["dog", "3,702", "75.0%"]
    cat = cells.index("cat")
    assert cells[cat : cat + 3] == ["cat", "1,234", "25.0%"]
    assert dog < cat
    assert "4,936 pictures classified" in reader.text
    assert "1 of 1 worker answered." in reader.text


def test_the_summary_has_the_shares_in_the_same_order_whoever_leads() -> None:
    for counts in ({"cat": 3, "dog": 1}, {"dog": 3, "cat": 1}):
        part = fragments(cluster(counts))["summary"]
        assert part.index("<b>cat</b>") < part.index("<b>dog</b>")
    text = Reader(fragments(cluster({"cat": 3, "dog": 1}))["summary"]).text
    assert "cat 75.0%" in text
    assert "dog 25.0%" in text


def test_of_many_labels_the_summary_names_some_and_the_number_of_the_others() -> None:
    text = Reader(fragments(cluster({f"bird{n:02}": 30 - n for n in range(20)}))["summary"]).text
    assert "bird03" in text
    assert "bird04" not in text
    assert "16 further labels" in text


def test_of_a_thousand_labels_the_page_shows_twelve_rows_that_add_up() -> None:
    counts = {f"class {n}": 2000 - n for n in range(1000)} | {"other": 5000}
    here = worker(classes=[f"class {n}" for n in range(1000)])
    slot = Slot(labels=counts, bins={3: 7}).limited()
    view = cluster(counts, {}, here, hour={int(NOW) // 10 * 10 - 20: slot}, in_hour=slot)
    for name in ("summary", "labels-body"):
        text = Reader(fragments(view)[name]).text
        assert "further labels" in text
        assert "other" not in text.replace("further", "")
    reader = Reader(fragments(view)["labels-body"])
    rows = [reader.cells[at + 4 : at + 8] for at in range(0, len(reader.cells) - 4, 4)]
    assert [row[0] for row in rows] == [*(f"class {n}" for n in range(11)), "989 further labels"]
    total = sum(counts.values())
    assert sum(int(row[1].replace(",", "")) for row in rows) == total
    assert len(render(view, "/static/0/")) < len(render(cluster({"cat": 1}), "/static/0/")) + 20_000
    assert list(points(view).labels)[-1] == "further labels"
    assert sum(points(view).rows[0].labels) == total


def test_a_class_that_is_called_other_is_a_label_like_any() -> None:
    counts = {f"class {n}": 20 - n for n in range(14)} | {"other": 100}
    names = [*counts]
    text = Reader(fragments(cluster(counts, {}, worker(classes=names)))["labels-body"]).text
    assert "other100" in text
    assert "4 further labels" in text


ODD_NAMES = ["Größe Å", "a/b", '"quoted"', "cat,dog", "<b>bold</b>", "🐱", "c" * 64]


def test_any_name_of_a_class_is_shown_as_it_is() -> None:
    reader = page(dict.fromkeys(ODD_NAMES, 3), {}, worker(classes=ODD_NAMES))
    assert set(ODD_NAMES) <= set(reader.cells)


def test_what_others_publish_changes_the_color_of_no_class() -> None:
    here = worker(classes=["cat", "dog"])
    alone = colors(cluster({"cat": 1, "dog": 1}, {}, here))
    assert alone == {"cat": "c0", "dog": "c1"}
    busy = colors(cluster({"<img>": 9, "cat": 1, "dog": 1, "unknown": 2}, {}, here))
    assert busy == {"<img>": "cx", "unknown": "cx", **alone}
    # A worker that does not know its classes yet uses the counted ones.
    assert colors(cluster({"dog": 1, "unknown": 2, "cat": 1}))["dog"] == "c1"


def test_a_voter_counts_votes() -> None:
    text = page({"cat": 2}, {}, worker(facts={"voter": "lite"})).text
    assert "2 pictures voted on by lite" in text


def test_an_empty_stream_shows_the_command_that_sends_a_picture() -> None:
    text = page().text
    assert "No picture has been classified yet." in text
    assert "send --samples" in text
    assert "None rejected." in text


def test_without_a_script_the_charts_say_what_their_lines_are() -> None:
    now = int(NOW) // 10 * 10
    hour = {now - 20: Slot({"<cat>": 50}, 10, {bin_of(0.026): 50})}
    html = render(cluster({"<cat>": 50}, hour=hour, in_hour=Slot({"<cat>": 50})), "/static/0/")
    text = Reader(html).text
    assert "0 to 5.0/s, the last hour" in text
    assert re.search(r"0 to 2\d ms, the last hourtypicalslowest 1 %", text)
    assert re.search(r"the last hour<cat>rejected", text)
    # A value without neighbours is drawn as a dot.
    assert re.search(r'<path class="p50" d="M\d+ [\d.]+h0"/>', html)


def test_a_picture_like_none_of_the_classes_says_so() -> None:
    shot = Shot("0-1", NOW, "unknown", 0.996, "pets 1", "x", "catdogimage/0/0")
    text = page({"unknown": 1}, pictures=[shot]).text
    assert "like none of the classes" in text
    assert "99.6%" not in text


def test_what_happens_now_stands_in_the_summary() -> None:
    now = Slot({"cat": 50}, 0, {bin_of(0.026): 49, bin_of(0.4): 1})
    text = page({"cat": 50}, recent=now).text
    assert "5.0" in text
    assert re.search(r"2\d ms", text)


def test_a_rejected_request_stands_there_with_its_detail() -> None:
    latest = {"not_json": Rejected(NOW - 90, "It is no <b>JSON</b>.", "catdogimage/3/17")}
    text = page({}, {"not_json": 2}, rejected=latest).text
    assert "It is no <b>JSON</b>." in text
    assert "catdogimage/3/17" in text
    assert "1 min ago" in text


@pytest.mark.parametrize("reason", Reason)
def test_a_replay_is_offered_where_it_can_help(reason: Reason) -> None:
    text = page({}, {reason.value: 2}).text
    advice = REPLAY_ADVICE[reason]
    assert advice.cause in text
    assert (f"catdog-stream replay --reason {reason}" in text) == advice.can_help


def test_no_replay_of_what_others_rejected_is_offered() -> None:
    assert "replay" not in page({}, {"<their reason>": 2}).text


def test_a_worker_that_does_not_answer_is_named_with_when_it_was_heard_last() -> None:
    silent = worker("http://there:6066", "silent", 75.0)
    text = page({"cat": 1}, {}, worker(), silent).text
    assert "there:6066 does not answer (1 of 2 workers)" in text
    assert "Last heard 1 min ago." in text
    assert "The counts of there:6066 are from 1 min ago." in text
    never = worker("http://there:6066", "silent", None)
    assert "those here are not complete" in page({"cat": 1}, {}, worker(), never).text


def test_while_partitions_move_the_page_says_so_and_not_that_nothing_was_classified() -> None:
    moving = worker("http://there:6066", "answers", 0.0, shards=None)
    text = page({}, {}, worker(), moving).text
    assert "1 of 2 workers is taking over partitions." in text
    assert "Send the first one" not in text


def test_a_planned_stop_is_no_reason_to_worry_and_is_told() -> None:
    def text(standing: str, gone: float) -> str:
        other = worker("http://there:6066", standing, 20.0, gone=gone)
        return page({"cat": 1}, {}, worker(), other).text

    assert "Note there:6066 was stopped as planned; 1 worker remains. Last heard 20 s ago" in text(
        "left", 19.0
    )
    assert "stopped as planned; 1" not in text("left", 120.0)
    assert "Warning there:6066 is lost" in text("lost", 120.0)


def test_what_a_worker_serves_loads_refuses_and_is() -> None:
    facts = {"loading": "pets/3", "refused": "No <golden> picture.", "role": "It is a voter."}
    text = page({}, {}, worker(stack="pets 2", facts=facts)).text
    assert "This worker serves pets 2, and loads pets/3. It is a voter." in text
    assert "does not serve what was ordered: No <golden> picture." in text


def test_updates_carry_the_parts_that_the_page_has() -> None:
    view = cluster({"cat": 1}, {"x": 1})
    html = render(view, "/static/0/")
    for name in fragments(view):
        assert f'id="{name}" ' in html


NASTY = ("</table><script>", '"><img onerror=x>', "javascript:")
hostile = st.text(min_size=1) | st.sampled_from(NASTY)


@given(hostile, hostile, hostile)
def test_whatever_stands_in_the_stream_stays_text(label: str, url: str, detail: str) -> None:
    def made(label: str, url: str, detail: str) -> Reader:
        shot = Shot("0-1", NOW, label, 0.5, detail, url, "catdogimage/0/0")
        rejected = {label: Rejected(NOW, detail, url)}
        here = worker(stack=detail, problems=[detail], facts={"refused": url, "role": label})
        return page({label: 1}, {label: 1}, here, pictures=[shot], rejected=rejected)

    assert made(label, url, detail).seen <= made("cat", "x", "y").seen


def test_a_voter_that_does_not_vote_is_a_notice_until_its_jury_has_left() -> None:
    sentence = "The voter <lite> did not vote in time on the latest 3 requests."
    jury = worker("http://jury:6066", facts={"absent": [sentence]})
    assert "did not vote in time" in Reader(fragments(cluster({}, {}, jury))["health"]).text
    gone = worker("http://jury:6066", "lost", gone=9.0, facts={"absent": [sentence]})
    odd = worker("http://jury:6066", facts={"absent": {"lite": 3}})
    for each in (gone, odd):
        parts = fragments(cluster({}, {}, worker(), each))
        assert "did not vote" not in parts["health"] + parts["notices"]
