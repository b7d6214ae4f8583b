"""Tests of the log filter: one line where a library would write thousands."""

import logging

from catdog_stream.worker.log_filter import RepeatFilter, StartFilter


class Clock:
    """Clock in seconds that the test advances."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def record(name: str, line: int, message: str = "Unable to reach %s") -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "client.py", line, message, ("x",), None)


def test_the_same_complaint_is_written_once_in_a_while() -> None:
    clock = Clock()
    repeats = RepeatFilter("aiokafka", 30.0, clock)
    assert repeats.filter(record("aiokafka.client", 1))
    for _ in range(29):
        clock.now += 1
        assert not repeats.filter(record("aiokafka.client", 1))
    clock.now += 1
    assert repeats.filter(record("aiokafka.client", 1))


def test_another_complaint_is_not_held_back() -> None:
    repeats = RepeatFilter("aiokafka", 30.0, Clock())
    assert repeats.filter(record("aiokafka.client", 1))
    assert repeats.filter(record("aiokafka.client", 2))


def test_our_own_messages_are_never_held_back() -> None:
    repeats = RepeatFilter("aiokafka", 30.0, Clock())
    assert all(repeats.filter(record("catdog_stream.pipeline.pipeline", 1)) for _ in range(3))


def test_a_topic_that_is_being_created_is_no_error_unless_it_stays_missing() -> None:
    clock = Clock()
    start = StartFilter(20.0, clock)
    missing = record("aiokafka.cluster", 1, "Topic %s not found in cluster metadata")
    assert not start.filter(missing)
    assert start.filter(record("aiokafka.cluster", 2, "Topic %s is not authorized for this client"))
    assert start.filter(record("catdog_stream", 1, "Topic %s not found in cluster metadata"))
    clock.now += 20
    assert start.filter(missing)
