"""Tests of the result of an image in JSON; any application may have written the record."""

import orjson
import pytest

from catdog_stream.kafka.replies import Reply
from catdog_stream.messages.answers import Label
from catdog_stream.web.api.answer import Answer, image_document, rejected_document
from catdog_stream.web.recording.recorder import Rejected
from tests.support.names import LABELS, REJECTED, REQUESTS
from tests.web.api.replies import SOURCE, label, record, rejection


def test_a_label() -> None:
    assert image_document(SOURCE, Answer.of(label()), "asked") == {
        "id": "3-17",
        "source": "catdogimage/3/17",
        "status": "labelled",
        "url": "u",
        "label": "Probabilities: cat 99.9% dog 0.1%",
        "verdict": "cat",
        "scores": {"cat": 0.999, "dog": 0.001},
        "stack": "pets 1",
        "familiarity": 0.5,
    }


def test_a_rejection() -> None:
    assert image_document(SOURCE, Answer.of(rejection()), "asked") == {
        "id": "3-17",
        "source": "catdogimage/3/17",
        "status": "rejected",
        "url": "asked",
        "reason": "not_json",
        "detail": "No.",
    }


def test_nothing_yet() -> None:
    assert image_document(SOURCE, None, None) == {
        "id": "3-17",
        "source": "catdogimage/3/17",
        "status": "waiting",
        "url": None,
    }


@pytest.mark.parametrize(
    "reply",
    [
        record(LABELS, None, []),
        record(LABELS, b"\xff", []),
        record(LABELS, b'{"label": 5}', []),
        record(LABELS, b'{"label": "Probabilities: "}', []),
        record(REJECTED, b"{}", []),
        label(text="Probabilities: cat 50.0% " + 70_000 * "x"),
        label(text="Probabilities:" + "".join(f" c{n} 0.1%" for n in range(20_000))),
    ],
)
def test_what_is_no_answer_is_none(reply: Reply) -> None:
    assert Answer.of(reply) is None


def test_what_a_stranger_writes_can_always_be_told() -> None:
    reply = record(
        LABELS,
        b'{"label": "Probabilities: <b> 50.0%", "url": {"a": 1}}',
        [("verdict", b"\xff" * 5000), ("<b>", b"nan"), ("stack", b"\xed\xa0\x80")],
    )
    answer = Answer.of(reply)
    assert answer is not None
    assert isinstance(answer.content, Label)
    told = orjson.loads(orjson.dumps(image_document(SOURCE, answer, None)))
    assert len(told["verdict"]) == 1000
    assert told["scores"] == {"<b>": 0.5}
    assert told["url"] is None


def test_rejected_requests_by_reason() -> None:
    latest = {
        "not_json": Rejected(1.5, "No.", "catdogimage/3/17"),
        "timeout": Rejected(2.5, "Late.", "somewhere else"),
    }
    assert rejected_document({"not_json": 2, "too_large": 1}, latest, REQUESTS) == {
        "total": 3,
        "reasons": {
            "not_json": {
                "count": 2,
                "latest": {
                    "at": 1.5,
                    "detail": "No.",
                    "source": "catdogimage/3/17",
                    "id": "3-17",
                },
            },
            "timeout": {
                "count": 0,
                "latest": {"at": 2.5, "detail": "Late.", "source": "somewhere else", "id": None},
            },
            "too_large": {"count": 1, "latest": None},
        },
    }
