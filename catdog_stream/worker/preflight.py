"""Checks of the environment before Faust is imported, which fails with a traceback otherwise.

Faust reads ``WEB_PORT`` during its import, and builds an address from ``WEB_HOST``.
"""

import ipaddress
import re
import resource
from collections.abc import Mapping, MutableMapping

from catdog_stream.errors import SettingError

__all__ = ["check", "in_url", "normalize", "to_bind"]

#: Faust reads each of its settings with each of these prefixes.
PREFIXES = ("", "F_")
#: A worker with eight partitions has 30 files open; below the limit, the errors are misleading.
LEAST_FILES = 64
EVERY_IPV4, EVERY_IPV6 = "0.0.0.0", "::"


def normalize(environment: MutableMapping[str, str]) -> None:
    """Write IPv6 addresses as Faust needs them: in brackets in a URL, without to listen on.

    A worker that announces an IPv6 address, such as a Kubernetes pod, listens on every IPv6
    address if ``WEB_BIND`` is every IPv4 address.
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
    """Return a host as written in a URL: an IPv6 address in brackets."""
    return f"[{host.strip()}]" if _is_ipv6(host.strip()) else host


def to_bind(host: str) -> str:
    """Return a host as a socket needs it: an IPv6 address without brackets."""
    inner = host.strip().removeprefix("[").removesuffix("]")
    return inner if _is_ipv6(inner) else host


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def check(environment: Mapping[str, str]) -> None:
    """Raise ``SettingError`` for values at which Faust or the operating system would fail."""
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
    """Raise ``SettingError`` for a malformed IPv4 address; other text may be a host name."""
    if not re.fullmatch(r"[0-9.]+", text):
        return
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        raise SettingError(f"{name}={text!r} cannot be used: it is no IP address.") from None
