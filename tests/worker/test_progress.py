"""Tests of the conditions under which a worker counts as stalled, with a simulated clock."""

from catdog_stream.worker.progress import ProgressWatch


class Clock:
    """Clock in seconds that the test advances."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_work_that_waits_longer_than_the_patience_is_a_stall() -> None:
    clock = Clock()
    watch = ProgressWatch(60.0, clock)
    watch.observe(5, waiting=True)
    clock.now += 60.0
    watch.observe(5, waiting=True)
    assert watch.stalled_seconds == 0.0
    clock.now += 1.0
    assert watch.stalled_seconds == 61.0


def test_any_progress_ends_the_stall() -> None:
    clock = Clock()
    watch = ProgressWatch(60.0, clock)
    watch.observe(5, waiting=True)
    clock.now += 100.0
    assert watch.stalled_seconds
    watch.observe(6, waiting=True)
    assert watch.stalled_seconds == 0.0


def test_an_idle_worker_never_stalls() -> None:
    clock = Clock()
    watch = ProgressWatch(60.0, clock)
    for _ in range(100):
        watch.observe(5, waiting=False)
        clock.now += 59.0
        assert watch.stalled_seconds == 0.0
