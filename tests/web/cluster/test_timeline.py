"""Tests of the last hour of all workers: each worker's slots count once."""

import pytest

from catdog_stream.web.cluster.timeline import Timeline
from catdog_stream.web.recording.history import Slot

NOW = 1_700_000_000


def test_the_workers_add_up_and_what_one_tells_again_replaces_what_it_told() -> None:
    timeline = Timeline()
    timeline.update("one", {NOW: Slot({"cat": 1})})
    timeline.update("two", {NOW: Slot({"cat": 2}), NOW - 10: Slot({"dog": 1})})
    timeline.update("one", {NOW: Slot({"cat": 4})})
    hour = timeline.hour(NOW + 5)
    assert list(hour) == [NOW - 10, NOW]
    assert hour[NOW].labels == {"cat": 6}
    assert timeline.latest("one") == NOW
    assert timeline.latest("three") == 0


def test_what_is_too_old_from_the_future_or_no_slot_is_left_out() -> None:
    timeline = Timeline()
    timeline.update("one", {NOW - 4000: Slot({"cat": 1}), NOW + 5000: Slot(), NOW + 3: Slot()})
    assert timeline.hour(NOW) == {}


def test_all_workers_together_have_no_more_than_so_many_slots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("catdog_stream.web.cluster.timeline.MAX_SLOTS", 10)
    timeline = Timeline()
    for number in range(100):
        timeline.update(
            f"worker {number}", {NOW - 10 * each: Slot({"cat": 1}) for each in range(4)}
        )
    assert sum(slot.labelled for slot in timeline.hour(NOW).values()) == 10
    timeline.update("worker 0", {NOW: Slot({"cat": 5})})
    assert sum(slot.labelled for slot in timeline.hour(NOW).values()) == 14, "what is known grows"
    assert not timeline.hour(NOW + 10_000)
    timeline.update("another", {NOW + 10_000: Slot({"cat": 1})})
    assert timeline.hour(NOW + 10_000)
