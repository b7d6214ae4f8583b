"""Reads the address of a picture: what somebody has typed, or where a web server leads on to."""

import ipaddress
import re

from yarl import URL

from catdog_stream.allowed_hosts import IPAddress
from catdog_stream.errors import FetchError
from catdog_stream.web.fetching.rules import Rules

__all__ = [
    "MAX_CHARACTERS",
    "NotAllowedError",
    "UnreadableError",
    "led_on",
    "not_public",
    "typed",
]

MAX_CHARACTERS = 4096
#: In front of an address on the first system's page.
_PREFIX = "catdog:"

_TYPED, _LED = "The address", "The address that it leads to"

_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")
_MAX_NAME = 253
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


class UnreadableError(FetchError):
    """The typed text is no address."""


class NotAllowedError(FetchError):
    """An address, from which nothing is fetched here."""


def typed(text: str, rules: Rules) -> URL:
    """The address in what somebody has typed.

    Raises ``UnreadableError`` if it is none, ``NotAllowedError`` if it is not allowed.
    """
    text = text.strip()
    if text[: len(_PREFIX)].lower() == _PREFIX:
        text = text[len(_PREFIX) :].lstrip()
    if not text:
        raise UnreadableError("There is no address.")
    return _checked(text, rules, _TYPED)


def led_on(url: URL, location: str, rules: Rules) -> URL:
    """Where ``url`` leads to, by its header ``Location``. Raises ``FetchError``."""
    try:
        target = str(url.join(_parsed(location)))
    except ValueError:
        raise FetchError(f"{_LED} cannot be read.") from None
    return _checked(target, rules, _LED)


def not_public(*, led: bool) -> NotAllowedError:
    """The same for a name that nobody has: who asks shall not learn which names a network has."""
    what = _LED if led else _TYPED
    return NotAllowedError(f"{what} is not on the public internet, or there is no such host.")


def _checked(text: str, rules: Rules, what: str) -> URL:
    """The one that is asked, whose host is a name in ASCII or an IP address in its usual form."""
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
    # A name's addresses are judged when it is resolved: by then it may have others.
    if not isinstance(host, str) and not rules.may_connect(str(host), host, url.port or 0):
        raise not_public(led=what == _LED)
    return url


def _parsed(text: str) -> URL:
    """Quoted where it has to be, and else to the letter: some addresses are signed.

    Raises ``ValueError``.
    """
    try:
        return URL(text, encoded=text.isascii() and " " not in text)
    except IndexError as error:  # yarl's, of "//[]@"
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
    """Whether it is an IPv4 address, or nothing: https://url.spec.whatwg.org/#ends-in-a-number."""
    return _NUMBER.fullmatch(name.rpartition(".")[2]) is not None


def _disguised(text: str) -> ipaddress.IPv4Address:
    """An IPv4 address in any form that browsers and C libraries read: ``127.1``, ``0x7f000001``."""
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
