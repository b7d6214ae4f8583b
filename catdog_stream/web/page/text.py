"""Formatting of numbers, times and untrusted text for people."""

import time

from catdog_stream.kafka.client import shown_url
from catdog_stream.terminal import shown

__all__ = [
    "MAX_SHOWN",
    "compact",
    "host",
    "moment",
    "one_line",
    "rate",
    "readable_url",
    "seconds",
    "share",
    "thousands",
]

#: Maximum characters shown of untrusted text.
MAX_SHOWN = 160


def one_line(text: str, most: int = MAX_SHOWN) -> str:
    """Return untrusted text as one line, cut, with unprintable characters escaped; not for HTML."""
    return shown(text if len(text) <= most else text[: most - 1] + "…")


def host(address: str) -> str:
    """Return a worker's address without its scheme."""
    return address.removeprefix("http://").removeprefix("https://")


def thousands(number: int) -> str:
    """Return ``1,234,567``."""
    return f"{number:,}"


def compact(number: int) -> str:
    """Return ``99,999``, ``123 k``, ``1.2 M`` or ``3.4 G``, in at most seven characters."""
    if number < 100_000:
        return thousands(number)
    units = (("k", 1e3), ("M", 1e6), ("G", 1e9))
    unit, size = next((each for each in units if number < 999.5 * each[1]), units[-1])
    scaled = number / size
    return f"{scaled:.1f} {unit}" if scaled < 99.95 else f"{scaled:.0f} {unit}"


def rate(per_second: float) -> str:
    """Return ``0``, ``0.25``, ``3.4`` or ``1,234``."""
    if per_second == 0:
        return "0"
    if per_second < 1:
        return f"{per_second:.2f}"
    return f"{per_second:.1f}" if per_second < 100 else f"{per_second:,.0f}"


def share(part: float) -> str:
    """Return ``12.5%`` for a share in 0 to 1."""
    return f"{part:.1%}"


def seconds(length: float | None) -> str:
    """Return ``12 ms`` or ``1.3 s``; a dash for ``None``."""
    if length is None:
        return "-"
    return f"{1000 * length:.0f} ms" if length < 0.9995 else f"{length:.1f} s"


def moment(at: float, now: float | None) -> tuple[str, str, str]:
    """Return ``at`` for programs, in two forms, and its age; both in seconds since the epoch.

    Without ``now``, there is no age: the browser fills it in, and updates it by itself.
    """
    at = min(max(0.0, at), 4e9)  # in this order, NaN becomes 0
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    return stamp, f"{at:.1f}", "" if now is None else _ago(now - at)


def _ago(length: float) -> str:
    """Return ``just now``, ``12 s ago``, ``5 min ago``, ``3 h ago`` or ``2 d ago``."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if length >= size:
            return f"{int(length // size)} {unit} ago"
    return "just now"


def readable_url(url: str) -> str:
    """Return a request's url, decoded if it is an address in base64, as the first system sends."""
    text = shown_url(url)
    return text if "://" in text and text.isascii() else url
