"""``Prefer: wait=5`` (RFC 7240): how long a client wants to wait for its answer."""

import re
from collections.abc import Iterable

__all__ = ["MAX_WAIT", "preferred_wait"]

MAX_WAIT = 30
_WAIT = re.compile(r'wait\s*=\s*(?:"([0-9]{1,9})"|([0-9]{1,9}))\s*(?:;.*)?', re.IGNORECASE)


def preferred_wait(headers: Iterable[str]) -> int:
    """Seconds, ``MAX_WAIT`` at most; 0 where there is no such preference.

    What cannot be read is no preference, as the standard has it.
    """
    for header in headers:
        for preference in header.split(","):
            if match := _WAIT.fullmatch(preference.strip()):
                return min(int(match[1] or match[2]), MAX_WAIT)
    return 0
