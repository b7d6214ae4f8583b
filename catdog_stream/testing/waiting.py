"""Waiting in tests: polling with a deadline, without fixed pauses."""

import time
from collections.abc import Callable

DEADLINE = 30.0  # seconds; conditions take far less, but test machines may be busy
_PAUSE = 0.02


def wait_until(condition: Callable[[], bool], what: str, deadline: float = DEADLINE) -> None:
    """Return once `condition` is true; raise AssertionError with `what` after `deadline` s."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"waited {deadline:.0f} s for {what}"
        time.sleep(_PAUSE)
