"""``Prefer: wait=5`` (RFC 7240): the seconds that a client wants to wait for its answer."""

import re
from collections.abc import Iterable

__all__ = ["MAX_WAIT", "preferred_wait"]

MAX_WAIT = 30
_WAIT = re.compile(r'wait\s*=\s*(?:"([0-9]{1,9})"|([0-9]{1,9}))\s*(?:;.*)?', re.IGNORECASE)


def preferred_wait(headers: Iterable[str]) -> int:
    """Return the seconds, at most ``MAX_WAIT``; 0 without such a preference.

    A malformed preference is ignored, as the standard requires.
    """
    for header in headers:
        for preference in header.split(","):
            if match := _WAIT.fullmatch(preference.strip()):
                return min(int(match[1] or match[2]), MAX_WAIT)
    return 0
