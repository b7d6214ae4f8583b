"""Tests of the counts of the last hour, and of the current rate."""

from catdog_stream.web.recording.history import (
    HOUR_SLOTS,
    OTHERS,
    RECENT_SECONDS,
    SLOT_SECONDS,
    History,
    Slot,
    added,
)

START = 1_700_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def test_now_are_the_last_whole_seconds() -> None:
    clock = Clock()
    history = History(clock)
    history.note("cat", 0.01)
    assert history.recent().labelled == 0, "this second is not over"
    clock.now += 1
    history.note(None, 0.01)
    assert (history.recent().labelled, history.recent().rejected) == (1, 0)
    clock.now += RECENT_SECONDS
    assert (history.recent().labelled, history.recent().rejected) == (0, 1)
    clock.now += 1
    assert history.recent() == Slot()


def test_the_hour_has_slots_that_begin_at_the_same_times_in_every_worker() -> None:
    clock = Clock()
    history = History(clock)
    for _ in range(3 * SLOT_SECONDS):
        history.note("cat", 0.01)
        clock.now += 1
    slots = history.slots()
    assert sum(slot.labelled for slot in slots.values()) == 3 * SLOT_SECONDS
    assert all(start % SLOT_SECONDS == 0 for start in slots)
    last = max(slots)
    assert set(history.slots(last)) == {last}


def test_what_is_older_than_an_hour_is_forgotten() -> None:
    clock = Clock()
    history = History(clock)
    history.note("cat", 0.01)
    clock.now += HOUR_SLOTS * SLOT_SECONDS
    history.note("dog", 0.01)
    clock.now += SLOT_SECONDS + 1
    assert added(history.slots().values()).labels == {"dog": 1}


def test_a_clock_that_goes_back_stops_nothing() -> None:
    clock = Clock()
    history = History(clock)
    clock.now -= 3600
    history.note("cat", 0.01)
    clock.now += 3602
    assert added(history.slots().values()).labels == {"cat": 1}


def test_labels_without_end_share_a_name() -> None:
    slot = Slot()
    for number in range(1000):
        slot.note(f"label {number}", 0.01)
    assert slot.labelled == slot.limited().labelled == 1000
    assert len(slot.limited().labels) == len(slot.limited().limited().labels) == 25
    assert slot.limited().labels[OTHERS] == 976


def test_a_label_that_becomes_frequent_late_has_its_own_line() -> None:
    clock = Clock()
    history = History(clock)
    for number in range(3000):
        history.note(f"label {number % 1000}", 0.01)
        if number % 3 == 0 and number > 1500:
            history.note("late", 0.01)
        clock.now += 0.5
    slots = history.slots()
    assert all(len(slot.labels) <= 25 for slot in slots.values())
    hour = added(slots.values())
    assert hour.labelled == 3499
    assert max(hour.labels.keys() - {OTHERS}, key=lambda name: hour.labels[name]) == "late"
    assert len(hour.labels) == 25
