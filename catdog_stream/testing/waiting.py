"""Waiting in tests: by asking again and again until a deadline, never by a guessed pause."""

import time
from collections.abc import Callable

DEADLINE = 30.0  # seconds; what is waited for takes far less, but test machines may be busy
_PAUSE = 0.02


def wait_until(condition: Callable[[], bool], what: str, deadline: float = DEADLINE) -> None:
    """Returns once `condition` is true; AssertionError that says `what` after `deadline` s."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"waited {deadline:.0f} s for {what}"
        time.sleep(_PAUSE)
