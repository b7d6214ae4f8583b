"""The last hour of all workers: each one's slots count once."""

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
