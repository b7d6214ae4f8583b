"""Mistakes that have to be found before Faust is imported, which ends in a traceback for them.

Faust reads ``WEB_PORT`` while it is imported.
"""

import ipaddress
import re
import resource
from collections.abc import Mapping

from catdog_stream.errors import SettingError

__all__ = ["check"]

#: Faust takes each of its settings under these names.
PREFIXES = ("", "F_")
#: A worker with eight partitions has 30 files open; with too few, each failure looks like another.
LEAST_FILES = 64


def check(environment: Mapping[str, str]) -> None:
    """Raise ``SettingError`` for what Faust or the operating system would stumble over."""
    for prefix in PREFIXES:
        _check_port(f"{prefix}WEB_PORT", environment.get(f"{prefix}WEB_PORT"))
        _check_address(f"{prefix}WEB_BIND", environment.get(f"{prefix}WEB_BIND", ""))
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < LEAST_FILES:
        raise SettingError(
            f"The limit of {files} open files is too low: allow at least {LEAST_FILES} with "
            "ulimit -n."
        )


def _check_port(name: str, text: str | None) -> None:
    if text is None:
        return
    if not re.fullmatch(r"[0-9]{1,5}", text.strip()) or not 1 <= int(text) <= 65535:
        raise SettingError(f"{name}={text!r} cannot be used: it must be a port from 1 to 65535.")


def _check_address(name: str, text: str) -> None:
    """Only what looks like an address of version 4; anything else may be the name of a host."""
    if not re.fullmatch(r"[0-9.]+", text):
        return
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        raise SettingError(f"{name}={text!r} cannot be used: it is no IP address.") from None
