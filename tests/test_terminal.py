"""Tests that text on a terminal cannot control it."""

import json
import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.commands.send import outcome
from catdog_stream.commands.watch import line
from catdog_stream.errors import InputError
from catdog_stream.kafka.client import opaque_url
from catdog_stream.kafka.replies import Reply
from catdog_stream.terminal import shown
from tests.support.names import LABELS, REJECTED

HARMFUL: tuple[Literal["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"], ...] = (
    *("Cc", "Cf", "Cs", "Co", "Cn"),
    *("Zl", "Zp"),
)
anything = st.text(
    st.characters(codec=None) | st.sampled_from("\x1b\x9b\n\r\u202e\u2066\u2028\udc80")
)


def harmless(text: str) -> bool:
    return not set(HARMFUL) & {unicodedata.category(character) for character in text}


@given(anything)
def test_no_text_commands_a_terminal_whatever_it_holds(text: str) -> None:
    assert harmless(shown(text))


@given(st.text(st.characters(codec="utf-8", exclude_categories=[*HARMFUL, "Zs"])))
def test_plain_text_of_any_script_stays_as_it_is(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a cat\x1b[2J", r"a cat\x1b[2J"),
        ("\u202egpj.tac", r"\u202egpj.tac"),
        ("one\nfake line\r", r"one\nfake line\r"),
        ("cat-\udcff.png", r"cat-\udcff.png"),
        (r"C:\new", r"C:\new"),
    ],
)
def test_what_is_no_plain_character_is_seen_as_an_escape(text: str, seen: str) -> None:
    assert shown(text) == seen


@given(anything, anything, anything, anything, st.booleans())
def test_nothing_in_the_stream_reaches_the_terminal_of_watch_and_send(
    label: str, url: str, reason: str, detail: str, labelled: bool
) -> None:
    hidden = opaque_url(url.encode("utf-8", "replace").decode())
    for sent in (url, hidden):
        reply = Reply(record(label if labelled else None, sent, reason, detail))
        assert harmless(line(reply))
        assert harmless(outcome(Path("a\x1b[31m.png"), reply))


def record(label: str | None, url: str, reason: str, detail: str) -> ConsumerRecord:
    """Return a label, or a rejection if no label is given."""
    topic = REJECTED if label is None else LABELS
    value = json.dumps({"label": label, "url": url}).encode()
    headers = [
        (name, text.encode("utf-8", "replace"))
        for name, text in (("reason", reason), ("detail", detail))
    ]
    return ConsumerRecord(topic, 0, 0, 0, 0, None, value, None, 0, len(value), headers)


def test_a_sentence_that_quotes_a_file_name_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    InputError("There is no file or folder \x1b[31mred\n.").show()
    assert capsys.readouterr().err == "Error: There is no file or folder \\x1b[31mred\\n.\n"
