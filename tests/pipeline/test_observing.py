"""Observers of the same answers."""

import pytest

from catdog_stream import metrics
from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.pipeline.observing import Answered, Observer, Observers
from catdog_stream.pipeline.timings import Timings

SOURCE = Source("catdogimage", 1, 2)
OUTCOME = RejectedRequest(Reason.NOT_JSON, "The value is not JSON.")
ANSWER = Answered(Incoming(SOURCE, None, b"", (), None), OUTCOME, None, Timings())


class Watching(Observer):
    """Observer that keeps what it gets."""

    def __init__(self, *, wants: bool = False) -> None:
        self.wants, self.asked = wants, 0
        self.got: list[object] = []

    def wants_picture(self) -> bool:
        self.asked += 1
        return self.wants

    def answered(self, answer: Answered) -> None:
        self.got.append(answer)

    def foreign_label(self, label: str, value: bytes | None, source: Source) -> None:
        self.got.append((label, value, source))


class Broken(Observer):
    """Observer that always fails."""

    def wants_picture(self) -> bool:
        raise ArithmeticError("No number of pictures.")

    def answered(self, answer: Answered) -> None:
        raise ArithmeticError(f"No number of answers like {answer.outcome}.")

    def foreign_label(self, label: str, value: bytes | None, source: Source) -> None:
        raise ArithmeticError(f"No number of labels like {label}, {value!r}, {source}.")


def together(*observing: Observer) -> Observers:
    observers = Observers()
    for each in observing:
        observers.add(each)
    return observers


def test_all_observers_get_the_same() -> None:
    one, other = Watching(), Watching()
    observers = together(one, Observer(), other)
    observers.answered(ANSWER)
    observers.foreign_label("cat", b"{}", SOURCE)
    assert one.got == other.got == [ANSWER, ("cat", b"{}", SOURCE)]


def test_an_observer_that_fails_is_logged_and_counted_and_affects_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = metrics.OBSERVER_ERRORS.labels("Broken")
    before = failures._value.get()
    other = Watching(wants=True)
    observers = together(Broken(), other)
    assert observers.wants_picture()
    observers.answered(ANSWER)
    observers.foreign_label("cat", None, SOURCE)
    assert len(other.got) == 2
    assert failures._value.get() == before + 3
    pictures, answers, labels = caplog.records
    assert "source" not in pictures.__dict__
    assert answers.__dict__["source"] == labels.__dict__["source"] == "catdogimage/1/2"
    assert "No number of answers like" in caplog.text


def test_a_picture_is_kept_if_an_observer_wants_it_and_all_are_asked() -> None:
    one, other = Watching(wants=True), Watching(wants=True)
    assert together(one, other).wants_picture()
    assert (one.asked, other.asked) == (1, 1)
    assert not together(Watching()).wants_picture()
    assert not together().wants_picture()
