"""Stages lie between moments, whichever of them were reached."""

import pytest

from catdog_stream.pipeline.moments import Moments


def test_stages_follow_each_other_without_a_gap() -> None:
    moments = Moments(1.0, begun=2.0, read=4.0, batched=5.0, decided=8.0)
    moments.handed_over, moments.confirmed = 9.0, 11.0
    assert list(moments.stages()) == [
        ("thread", 1.0, 2.0),
        ("reading", 2.0, 4.0),
        ("batch", 4.0, 5.0),
        ("model", 5.0, 8.0),
        ("order", 8.0, 9.0),
        ("publishing", 9.0, 11.0),
    ]


def test_what_was_rejected_as_it_was_read_was_never_in_a_batch() -> None:
    moments = Moments(1.0, begun=2.0, read=4.0, handed_over=5.0, confirmed=6.0)
    assert [name for name, *_ in moments.stages()] == ["thread", "reading", "order", "publishing"]


def test_what_a_jury_decides_waits_for_votes_alone() -> None:
    moments = Moments(1.0, voted=3.0, handed_over=3.0, confirmed=4.0)
    assert [name for name, *_ in moments.stages()] == ["votes", "order", "publishing"]


def test_it_begins_when_it_is_made() -> None:
    moments = Moments()
    moments.note_batched()
    ((name, began, ended),) = moments.stages()
    assert name == "batch"
    assert ended >= began
    with pytest.raises(AttributeError):
        moments.eaten = 1.0  # type: ignore[attr-defined]
