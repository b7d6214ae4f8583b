"""Tests of the pictures that wait for the shadow: they are bounded, and never block the worker."""

from threading import Thread

from catdog_stream.messages.wire import Source
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.shadow.waiting import Seen, Waiting


def seen(number: int, size: int = 1) -> Seen:
    return Seen(Source("t", 0, number), b"x" * size, Verdict({"cat": 1.0, "dog": 0.0}, "a 1"))


def test_they_leave_in_the_order_in_which_they_came() -> None:
    waiting = Waiting(10, 100)
    items = [seen(number) for number in range(10)]
    assert all(map(waiting.put, items))
    assert [waiting.take() for _ in items] == items


def test_there_is_room_for_so_many_and_for_so_many_bytes() -> None:
    waiting = Waiting(3, 100)
    assert waiting.put(seen(0, 60))
    assert not waiting.put(seen(1, 41))
    assert waiting.put(seen(2, 20))
    assert waiting.put(seen(3, 20))
    assert not waiting.put(seen(4, 0))
    assert waiting.take() == seen(0, 60)
    assert waiting.put(seen(5, 60))


def test_at_the_end_nobody_waits_any_more() -> None:
    waiting = Waiting(3, 100)
    taken: list[Seen | None] = []
    thread = Thread(target=lambda: taken.append(waiting.take()))
    thread.start()
    waiting.close()
    thread.join(10)
    assert taken == [None]
    assert not waiting.put(seen(0))
    assert waiting.take() is None
