"""Times in the options of commands."""

import re
from datetime import datetime

from catdog_stream.errors import SettingError

__all__ = ["parse_time"]

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_time(option: str, text: str, now: float) -> int:
    """Return a time in milliseconds since the epoch.

    Args:
        option: the option that has the text, for the error message.
        text: a duration before ``now`` (``90s``, ``15m``, ``2h``, ``3d``, ``1w``), or a time in
            ISO 8601; without a zone, in this machine's zone.
        now: seconds since the epoch.

    Raises:
        SettingError: ``text`` is neither.
    """
    if match := re.fullmatch(r"([0-9]{1,9})([smhdw])", text.strip()):
        seconds = now - int(match[1]) * SECONDS[match[2]]
    else:
        try:
            seconds = datetime.fromisoformat(text.strip()).timestamp()
        except (ValueError, OverflowError) as error:
            raise SettingError(
                f"{option} {text!r} cannot be used: it must be a duration like 2h or 3d, "
                "or a time like 2024-05-17T12:00."
            ) from error
    return max(0, int(seconds * 1000))
