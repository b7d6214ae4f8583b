"""Tests that each record of the log is one line of JSON, for any content."""

import logging
import sys
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.worker.json_log import JsonFormatter


def record(message: str, *args: object, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("a.logger", logging.WARNING, "a.py", 1, message, args, None)
    made.created = 1_700_000_000.123456
    made.__dict__.update(more)
    return made


def read(made: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(made)
    assert len(line.splitlines()) == 1
    assert line.isascii()
    return dict(orjson.loads(line))


def test_a_line_says_when_how_bad_who_and_what() -> None:
    assert read(record("%d of %s", 3, "them")) == {
        "time": "2023-11-14T22:13:20.123Z",
        "level": "WARNING",
        "logger": "a.logger",
        "message": "3 of them",
    }


def test_it_names_the_request_that_it_is_about() -> None:
    assert read(record("x", source="catdogimage/0/1"))["source"] == "catdogimage/0/1"


def test_an_exception_comes_with_its_traceback() -> None:
    def fail() -> None:
        raise ArithmeticError("first line\nsecond line")

    try:
        fail()
    except ArithmeticError:
        line = read(record("x", exc_info=sys.exc_info()))
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("first line\nsecond line")


@given(st.text(st.characters()), st.text(st.characters(categories=["Cs", "Cc", "Zl", "Zp", "Cf"])))
def test_what_a_stranger_wrote_stays_within_its_line(ordinary: str, hostile: str) -> None:
    text = ordinary + hostile + '\n{"level": "INFO"}\r\u2028\x1b[2J'
    line = read(record("%s", text, source=text))
    assert line["level"] == "WARNING"
    characters = text.encode("utf-8", "replace").decode()
    assert line["message"] == line["source"] == characters
