"""Several who watch the same answers."""

import pytest

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.pipeline.observing import Answered, Observers
from catdog_stream.pipeline.timings import Timings

INCOMING = Incoming(Source("catdogimage", 1, 2), None, b"", (), None)
OUTCOME = RejectedRequest(Reason.NOT_JSON, "It is none.")
ANSWER = Answered(INCOMING, OUTCOME, None, Timings())


class Watching:
    """Notes what it is told, and fails where it is told to."""

    def __init__(self, *, wants: bool = False, fails: bool = False) -> None:
        self.wants, self.fails, self.asked = wants, fails, 0
        self.told: list[Answered] = []

    def wants_picture(self) -> bool:
        self.asked += 1
        return self.wants

    def answered(self, answer: Answered) -> None:
        self.told.append(answer)
        if self.fails:
            raise ArithmeticError("I cannot count.")


def together(*watching: Watching) -> Observers:
    observers = Observers()
    for each in watching:
        observers.add(each)
    return observers


def test_all_of_them_are_told_the_same() -> None:
    one, other = Watching(), Watching()
    together(one, other).answered(ANSWER)
    assert one.told == other.told == [ANSWER]


def test_one_that_fails_keeps_nothing_from_the_others_and_its_request_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, other = Watching(fails=True), Watching()
    together(broken, other).answered(ANSWER)
    assert len(other.told) == 1
    (record,) = caplog.records
    assert record.__dict__["source"] == "catdogimage/1/2"
    assert "I cannot count." in caplog.text


def test_a_picture_is_kept_if_anybody_wants_it_and_all_are_asked() -> None:
    one, other = Watching(wants=True), Watching(wants=True)
    assert together(one, other).wants_picture()
    assert (one.asked, other.asked) == (1, 1)
    assert not together(Watching()).wants_picture()
    assert not together().wants_picture()
