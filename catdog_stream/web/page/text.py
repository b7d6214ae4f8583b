"""Formatting of numbers, times and untrusted text for people, as HTML."""

import time
from html import escape

from catdog_stream.kafka.client import shown_url
from catdog_stream.terminal import shown

__all__ = [
    "MAX_SHOWN",
    "ago",
    "compact",
    "count",
    "host",
    "plain",
    "rate",
    "readable_url",
    "seconds",
    "share",
    "when",
]

#: Maximum characters shown of untrusted text.
MAX_SHOWN = 160


def plain(text: str, most: int = MAX_SHOWN) -> str:
    """Return untrusted text for HTML, as one line, with unprintable characters escaped."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return escape(shown(cut))


def host(address: str) -> str:
    """Return a worker's address without its scheme."""
    return address.removeprefix("http://").removeprefix("https://")


def count(number: int) -> str:
    """Return ``1,234,567``."""
    return f"{number:,}"


def compact(number: int) -> str:
    """Return ``99,999``, ``123 k``, ``1.2 M`` or ``3.4 G``, in at most seven characters."""
    if number < 100_000:
        return count(number)
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


def ago(length: float) -> str:
    """Return ``just now``, ``12 s ago``, ``5 min ago``, ``3 h ago`` or ``2 d ago``."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if length >= size:
            return f"{int(length // size)} {unit} ago"
    return "just now"


def when(at: float, now: float | None) -> str:
    """Return a ``time`` element with the age of ``at``, both in seconds since the epoch.

    Without ``now``, the browser fills in the age, and updates it by itself.
    """
    at = min(max(at, 0.0), 4e9)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    text = "" if now is None else ago(now - at)
    return f'<time datetime="{stamp}" data-at="{at:.1f}">{text}</time>'


def readable_url(url: str) -> str:
    """Return a request's url, decoded if it is an address in base64, as the first system sends."""
    text = shown_url(url)
    return text if "://" in text and text.isascii() else url
