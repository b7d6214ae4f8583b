"""Tests of the memory of recent requests and answers, and of its limit."""

import pytest

from catdog_stream.messages.wire import Source
from catdog_stream.web.api import memory
from catdog_stream.web.api.memory import LATELY, Memory
from tests.support.names import REQUESTS
from tests.web.api.replies import SOURCE, label, record, rejection


def at(offset: int) -> Source:
    return Source("catdogimage", 0, offset)


def test_the_first_answer_stays() -> None:
    kept = Memory(REQUESTS)
    assert kept.answer(SOURCE) is None
    kept.note(label())
    kept.note(rejection())
    answer = kept.answer(SOURCE)
    assert answer is not None
    assert answer.status == "labelled"


def test_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "KEPT", 3)
    kept = Memory(REQUESTS)
    for offset in range(5):
        kept.note(label(at(offset)))
        kept.note_sent(at(offset), None, kept)
    assert [offset for offset in range(5) if kept.answer(at(offset))] == [2, 3, 4]
    assert [offset for offset in range(5) if kept.sent(at(offset))] == [2, 3, 4]


def test_what_is_large_is_left_to_kafka() -> None:
    kept = Memory(REQUESTS)
    kept.note(label(at(0), url="x" * 10_000))
    kept.note(rejection(at(1), b" " * 100_000))
    kept.note_sent(at(2), "x" * 10_000, kept)
    assert not kept.answer(at(0))
    assert not kept.answer(at(1))
    assert not kept.sent(at(2))


def test_a_large_rejection_is_read_if_the_request_was_sent_from_here() -> None:
    kept = Memory(REQUESTS)
    kept.note_sent(at(1), None, kept)
    kept.note(rejection(at(1), b" " * 100_000))
    assert kept.answer(at(1))


def test_what_answers_no_request_of_ours_is_passed_over() -> None:
    kept = Memory(REQUESTS)
    kept.note(record("catdoglabel", b"{}", []))
    kept.note(label(Source("another", 0, 0)))
    assert kept.answer(Source("another", 0, 0)) is None


def test_a_request_was_sent_lately_for_a_while() -> None:
    now = [100.0]
    kept = Memory(REQUESTS, lambda: now[0])
    kept.note_sent(SOURCE, "u", kept)
    sent = kept.sent(SOURCE)
    assert sent is not None
    assert (sent.url, sent.through()) == ("u", kept)
    now[0] += LATELY
    assert kept.sent(SOURCE) is None


def test_an_answer_of_very_many_classes_is_left_to_kafka() -> None:
    kept = Memory(REQUESTS)
    names = [f"{number:x}" for number in range(800)]
    for offset, some in enumerate((names, names[:32])):
        text = "Probabilities: " + " ".join(f"{name} 1%" for name in some)
        assert len(text) < memory.MAX_SIZE
        kept.note(label(at(offset), text))
    assert not kept.answer(at(0))
    assert kept.answer(at(1))
