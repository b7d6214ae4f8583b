"""Surroundings that must be right before Faust is imported, which ends in a traceback for mistakes.

Faust reads ``WEB_PORT`` while it is imported, and makes an address of ``WEB_HOST``.
"""

import ipaddress
import re
import resource
from collections.abc import Mapping, MutableMapping

from catdog_stream.errors import SettingError

__all__ = ["check", "in_url", "normalize", "to_bind"]

#: Faust takes each of its settings under these names.
PREFIXES = ("", "F_")
#: A worker with eight partitions has 30 files open; with too few, each failure looks like another.
LEAST_FILES = 64
EVERY_IPV4, EVERY_IPV6 = "0.0.0.0", "::"


def normalize(environment: MutableMapping[str, str]) -> None:
    """Write IPv6 addresses as Faust needs them: in brackets in a URL, and without to listen on.

    A worker that announces an IPv6 address, as a pod of Kubernetes may, listens on every IPv6
    address where it is to listen on every address.
    """
    for prefix in PREFIXES:
        host, bind = f"{prefix}WEB_HOST", f"{prefix}WEB_BIND"
        if host in environment:
            environment[host] = in_url(environment[host])
        if bind in environment:
            environment[bind] = to_bind(environment[bind])
            if environment[bind] == EVERY_IPV4 and environment.get(host, "").startswith("["):
                environment[bind] = EVERY_IPV6


def in_url(host: str) -> str:
    """Return a host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host.strip()}]" if _is_ipv6(host.strip()) else host


def to_bind(host: str) -> str:
    """Return a host as a socket takes it: an IPv6 address without brackets."""
    inner = host.strip().removeprefix("[").removesuffix("]")
    return inner if _is_ipv6(inner) else host


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


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
