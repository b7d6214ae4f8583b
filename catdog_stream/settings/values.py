"""Parsers that turn the text of a setting into its value.

Each parser takes the text, stripped and not empty, and raises ``ValueError`` with a description of
the values allowed. ``settings`` has the settings.
"""

import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from catdog_stream.messages.labels import LABEL_FORMATS
from catdog_stream.messages.requests.formats import REQUEST_FORMATS
from catdog_stream.messages.votes import VOTER_NAME
from catdog_stream.settings.allowed_hosts import AllowedHost

__all__ = [
    "allowed_hosts",
    "application",
    "broker",
    "deadline",
    "factory",
    "field",
    "folder",
    "hosts",
    "http",
    "is_factory",
    "label_format",
    "milliseconds",
    "number",
    "one_of",
    "paths",
    "rate",
    "request_format",
    "seconds",
    "share",
    "token",
    "topic",
    "voter",
    "voters",
    "whole",
]

T = TypeVar("T")

#: Maximum number of voters: a header of every label names each voter.
MAX_VOTERS = 16
MAX_VOTE_DEADLINE = 600.0
#: Maximum pictures per second for one client that the setting may allow; 0 means no limit.
MAX_RATE = 1_000_000.0
#: Minimum characters of a token; a shorter token can be guessed.
LEAST_TOKEN = 8
_TOKEN = re.compile(r"[\x21-\x7e]+")

#: A host name or an IP address, with version 6 in brackets; the port is optional.
_ADDRESS = re.compile(r"([^\s:/\[\]]+|\[[0-9a-fA-F:.]+\])(:(?P<port>[0-9]{1,5}))?")
#: The same without a port, version 6 with or without brackets.
_HOST = re.compile(r"[\w.-]+|\[[0-9a-fA-F:.]+\]|[0-9a-fA-F:.]+")


_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
#: Ends of the names of a jury's, a recount's, a voter's and a reclassification's group.
_OF_ANOTHER = re.compile(r"-(jury|recount|(voter|reclassify)-.*)$")
_APPLICATION = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,99}")

#: ``package.module:factory``.
_FACTORY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def is_factory(text: str) -> bool:
    """Return whether the text names a class or function in a module."""
    return bool(_FACTORY.fullmatch(text))


def factory(text: str) -> str:
    """Parse the name of a class or function in a module."""
    if not is_factory(text):
        raise ValueError("it must be package.module:factory")
    return text


def request_format(text: str) -> str:
    """Parse a format of requests: a name, or a class or function in a module."""
    return _format(text, REQUEST_FORMATS)


def label_format(text: str) -> str:
    """Parse a format of labels: a name, or a class or function in a module."""
    return _format(text, LABEL_FORMATS)


def _format(text: str, names: tuple[str, ...]) -> str:
    if text not in names and not is_factory(text):
        raise ValueError(f"it must be {', '.join(names)} or package.module:factory")
    return text


def field(text: str) -> str:
    """Parse the path of a field in JSON, with points."""
    if not all(part and part.isprintable() for part in text.split(".")):
        raise ValueError("it must be names with points in between")
    return text


def topic(text: str) -> str:
    """Parse the name of a topic, as Kafka allows it."""
    if not _TOPIC.fullmatch(text) or text in (".", ".."):
        raise ValueError("it must have 1 to 249 of letters, digits, '.', '_' and '-'")
    return text


def application(text: str) -> str:
    """Parse the id of an application: part of the names of its groups and topics."""
    if not _APPLICATION.fullmatch(text):
        raise ValueError(
            "it must have 1 to 100 of letters, digits, '.', '_' and '-', and begin with a letter"
        )
    if text in ("catdogimage", "catdogstack") or _OF_ANOTHER.search(text):
        raise ValueError("groups or topics of another application would have the same names")
    return text


def whole(most: int) -> Callable[[str], int]:
    """Return a parser for a whole number from 1 to ``most``."""

    def parse(text: str) -> int:
        if not text.isdecimal() or len(text) > 18 or not 1 <= int(text) <= most:
            raise ValueError(f"it must be a whole number from 1 to {most}")
        return int(text)

    return parse


def number(text: str) -> float:
    """Parse a finite number."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError("it must be a number") from None
    if not math.isfinite(value):
        raise ValueError("it must be a number")
    return value


def seconds(text: str) -> float:
    """Parse a number of seconds above 0."""
    if (value := number(text)) <= 0:
        raise ValueError("it must be a number of seconds above 0")
    return value


def milliseconds(text: str) -> float:
    """Parse 0 to 1000 milliseconds; return seconds."""
    if not 0 <= (value := number(text)) <= 1000:
        raise ValueError("it must be a number of milliseconds from 0 to 1000")
    return value / 1000


def share(text: str) -> float:
    """Parse a share from 0 to 1."""
    if not 0 <= (value := number(text)) <= 1:
        raise ValueError("it must be a share from 0 to 1")
    return value


def rate(text: str) -> float:
    """Parse a rate in pictures per second, from 0 to ``MAX_RATE``."""
    if not 0 <= (value := number(text)) <= MAX_RATE:
        raise ValueError(f"it must be a number of pictures per second from 0 to {MAX_RATE:.0f}")
    return value


def token(text: str) -> str:
    """Parse a bearer token, which must fit into an HTTP header."""
    if len(text) < LEAST_TOKEN or not _TOKEN.fullmatch(text):
        raise ValueError(f"it must have {LEAST_TOKEN} characters or more, of ASCII, and no space")
    return text


def one_of(choices: tuple[T, ...]) -> Callable[[str], T]:
    """Return a parser for one of these words."""

    def parse(text: str) -> T:
        for choice in choices:
            if choice == text:
                return choice
        raise ValueError(f"it must be one of {', '.join(map(str, choices))}")

    return parse


def voter(text: str) -> str:
    """Parse the name of a voter."""
    if not VOTER_NAME.fullmatch(text):
        raise ValueError("a voter's name must have 1 to 32 of a-z, 0-9, _ and -")
    return text


def paths(text: str) -> tuple[Path, ...]:
    """Parse one or more paths, separated as in ``PATH``."""
    parts = tuple(Path(part) for part in text.split(os.pathsep) if part)
    if not parts:
        raise ValueError("it names no directory")
    return parts


def voters(text: str) -> tuple[str, ...]:
    """Parse names of voters, separated by commas."""
    names = tuple(voter(part) for part in map(str.strip, text.split(",")) if part)
    if len(set(names)) < len(names):
        raise ValueError("a voter is named twice")
    if not 1 <= len(names) <= MAX_VOTERS:
        raise ValueError(f"it must name 1 to {MAX_VOTERS} voters")
    return names


def deadline(text: str) -> float:
    """Parse the seconds that a jury waits for votes."""
    if (value := seconds(text)) > MAX_VOTE_DEADLINE:
        raise ValueError(f"it must be at most {MAX_VOTE_DEADLINE:g} seconds")
    return value


def folder(text: str) -> Path:
    """Parse the path of an existing folder."""
    if not Path(text).is_dir():
        raise ValueError("there is no such folder")
    return Path(text)


def hosts(text: str) -> tuple[str, ...]:
    """Parse names or addresses of hosts without ports, separated by commas."""
    found = tuple(filter(None, (part.strip() for part in text.split(","))))
    for host in found:
        if not _HOST.fullmatch(host):
            raise ValueError(f"{host!r} is not the name or address of a host")
    return found


def allowed_hosts(text: str) -> tuple[AllowedHost, ...]:
    """Parse hosts from which pictures may be fetched, separated by commas."""
    return tuple(AllowedHost.parse(part) for part in map(str.strip, text.split(",")) if part)


def http(text: str) -> str:
    """Parse the address of an HTTP server, with or without a path."""
    parts = urlsplit(text)
    usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    if not usable or parts.query or parts.fragment:
        raise ValueError("it must look like http://host:4318")
    return text.rstrip("/")


def broker(text: str) -> str:
    """Normalize lists of ``host:port`` and ``kafka://host:port``; other drivers are refused."""
    addresses = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        scheme, separator, rest = part.rpartition("://")
        if separator and scheme not in ("kafka", "aiokafka"):
            raise ValueError(f"only kafka:// addresses are supported, not {scheme}://")
        address = _ADDRESS.fullmatch(rest)
        if address is None or not 0 < int(address["port"] or 9092) < 65536:
            raise ValueError("an address must look like kafka://host:port")
        addresses.append(f"kafka://{rest}")
    if not addresses:
        raise ValueError("it names no address")
    return ";".join(addresses)
