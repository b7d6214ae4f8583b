"""Tests of the text that a screen reader speaks at once."""

from catdog_stream.web.page.alarm import alarm
from tests.web.cluster_views import cluster, worker


def test_nothing_is_said_of_a_cluster_that_is_well() -> None:
    assert alarm(cluster({"cat": 1}, {}, worker(), worker("http://b:1", "answers"))) == ""


def test_a_lost_worker_is_named_whatever_its_age_is() -> None:
    for age in (5.0, 75.0, None):
        silent = worker("http://there:6066", "silent", age)
        said = alarm(cluster({}, {}, worker(), silent))
        assert said == "1 of 2 workers does not answer: there:6066."
    lost = [worker(f"http://w{n}:1", "lost", 20.0) for n in range(5)]
    assert alarm(cluster({}, {}, worker(), *lost)) == (
        "5 workers are lost: w0:1, w1:1, w2:1 and 2 more."
    )


def test_a_planned_stop_is_no_alarm() -> None:
    left = worker("http://there:6066", "left", 20.0, gone=10.0)
    assert alarm(cluster({}, {}, worker(), left)) == ""


def test_a_state_is_said_without_numbers_that_change() -> None:
    flow = {"arriving": 30.0, "answered": 12.0, "waiting": 399, "stalled": 0.0}
    assert alarm(cluster({}, {}, worker(facts={"flow": flow}))) == "Falling behind."


def test_a_worker_without_the_ordered_stack_is_named() -> None:
    here = worker(facts={"refused": "No golden picture."})
    assert alarm(cluster({}, {}, here)) == "here:6066 does not serve the stack that was ordered."


def test_a_worker_that_was_stopped_refuses_nothing_any_more() -> None:
    left = worker("http://b:1", "left", 1.0, gone=1.0, facts={"refused": "No golden picture."})
    assert alarm(cluster({}, {}, worker(), left)) == ""


def test_an_address_is_one_line_of_text() -> None:
    said = alarm(cluster({}, {}, worker(), worker("http://a\nb\u202e" + "c" * 500, "silent")))
    assert "\n" not in said
    assert "\u202e" not in said
    assert len(said) < 250
