"""Parsing and checks of a picture's address: typed by a visitor, or a redirect's target."""

import ipaddress
import re

from yarl import URL

from catdog_stream.errors import FetchError, Reason
from catdog_stream.fetching.rules import Rules
from catdog_stream.settings.allowed_hosts import IPAddress

__all__ = [
    "MAX_CHARACTERS",
    "NotAllowedError",
    "UnreadableError",
    "led_on",
    "not_public",
    "typed",
]

MAX_CHARACTERS = 4096
#: Prefix of an address on the first system's page.
_PREFIX = "catdog:"

_TYPED, _LED = "The address", "The address that it leads to"

_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")
_MAX_NAME = 253
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


class UnreadableError(FetchError):
    """Typed text that is not an address."""

    reason = Reason.BAD_REFERENCE


class NotAllowedError(FetchError):
    """Address from which nothing may be fetched."""

    reason = Reason.REFERENCE_NOT_ALLOWED


def typed(text: str, rules: Rules) -> URL:
    """Return the address in typed text.

    Raises:
        UnreadableError: the text is not an address.
        NotAllowedError: the address is not allowed.
    """
    text = text.strip()
    if text[: len(_PREFIX)].lower() == _PREFIX:
        text = text[len(_PREFIX) :].lstrip()
    if not text:
        raise UnreadableError("There is no address.")
    return _checked(text, rules, _TYPED)


def led_on(url: URL, location: str, rules: Rules) -> URL:
    """Return the target of a redirect from ``url``, by its ``Location``. Raise ``FetchError``."""
    try:
        target = str(url.join(_parsed(location)))
    except ValueError:
        raise FetchError(f"{_LED} cannot be read.") from None
    return _checked(target, rules, _LED)


def not_public(*, led: bool) -> NotAllowedError:
    """Return the same error for a missing host, so that visitors cannot probe a network's names."""
    what = _LED if led else _TYPED
    return NotAllowedError(f"{what} is not on the public internet, or there is no such host.")


def _checked(text: str, rules: Rules, what: str) -> URL:
    """Return the checked address; its host is an ASCII name or an IP address in normal form."""
    if len(text) > MAX_CHARACTERS:
        raise UnreadableError(f"{what} has more than {MAX_CHARACTERS} characters.")
    if not text.isprintable():
        raise UnreadableError(f"{what} holds characters that cannot be seen.")
    try:
        url = _parsed(text)
        port = url.explicit_port
    except ValueError:
        raise UnreadableError(f"{what} cannot be read.") from None
    if url.scheme not in rules.schemes:
        beginnings = " or ".join(f"{scheme}://" for scheme in rules.schemes)
        raise NotAllowedError(f"{what} must begin with {beginnings}.")
    if url.raw_user is not None or url.raw_password is not None:
        raise NotAllowedError(f"{what} must not hold a user name or a password.")
    if port is not None and not url.is_default_port() and not rules.may_name(port):
        raise NotAllowedError(f"{what} must be on the usual port of its scheme, not on {port}.")
    try:
        host = _host(url.raw_host or "")
        url = url.with_host(str(host)).with_fragment(None)
    except ValueError:
        raise UnreadableError(f"{what} has no host that can be read.") from None
    if isinstance(host, str) and not rules.may_look_up(host):
        raise NotAllowedError(f"{what} is on a host that is not allowed.")
    # The addresses of a name are checked when it is resolved: they may change until then.
    if not isinstance(host, str) and not rules.may_connect(str(host), host, url.port or 0):
        raise not_public(led=what == _LED)
    return url


def _parsed(text: str) -> URL:
    """Parse an address, quoted only if necessary and else unchanged: some are signed.

    Raises:
        ValueError: the text is not an address.
    """
    try:
        return URL(text, encoded=text.isascii() and " " not in text)
    except IndexError as error:  # yarl raises it for "//[]@"
        raise ValueError(text) from error


def _host(raw: str) -> str | IPAddress:
    if ":" in raw:
        address = ipaddress.IPv6Address(raw)
        if address.scope_id is not None:
            raise ValueError(raw)
        return address
    name = raw.lower().removesuffix(".")
    if _is_number(name):
        return _disguised(name)
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        raise ValueError(name)
    return name


def _is_number(name: str) -> bool:
    """Return true for IPv4, valid or not: https://url.spec.whatwg.org/#ends-in-a-number."""
    return _NUMBER.fullmatch(name.rpartition(".")[2]) is not None


def _disguised(text: str) -> ipaddress.IPv4Address:
    """Parse IPv4 in every form of browsers and C libraries: ``127.1``, ``0x7f000001``."""
    *first, last = map(_number, text.split("."))
    if len(first) > 3 or any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        raise ValueError(text)
    high = sum(number << 8 * (3 - place) for place, number in enumerate(first))
    return ipaddress.IPv4Address(high + last)


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if text.startswith("0") else 10)
