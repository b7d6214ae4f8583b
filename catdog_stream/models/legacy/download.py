"""Fetch a file from an address that the user gives."""

import http.client
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

from catdog_stream.errors import InputError

__all__ = ["download", "is_address"]

_SCHEMES = ("http", "https")
#: For an answer, and for each part of it.
_SECONDS = 30
_CHUNK = 1 << 16


def is_address(text: str) -> bool:
    """Whether ``text`` is an address, and not a file's name."""
    return "://" in text


def download(address: str, target: Path, *, most: int, progress: bool = True) -> None:
    """Write what ``address`` answers to ``target``, ``most`` bytes at most.

    Only http and https are followed, redirections too. Raises ``InputError``.
    """
    try:
        parts = urlsplit(address)
        shown = f"{parts.scheme}://{parts.hostname}{parts.path}"  # no password, no token
    except ValueError as error:
        raise InputError(f"{address!r} is not an address.") from error
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise InputError(f"{shown} cannot be downloaded: only http and https are.")
    request = urllib.request.Request(address, headers={"User-Agent": "catdog-stream"})
    try:
        with _opener().open(request, timeout=_SECONDS) as answer, target.open("wb") as file:
            length, got = answer.length, 0
            with tqdm(
                total=length, unit="B", unit_scale=True, desc="download", disable=not progress
            ) as bar:
                while chunk := answer.read(_CHUNK):
                    got += len(chunk)
                    if got > most:
                        raise InputError(f"{shown} has more than the {most} bytes allowed.")
                    file.write(chunk)
                    bar.update(len(chunk))
    except (OSError, ValueError, http.client.HTTPException) as error:
        # urllib's own are OSErrors; ValueError: an address with a character that none can have.
        raise InputError(f"{shown} cannot be downloaded: {_reason(error)}.") from error
    if length is not None and got < length:
        raise InputError(f"The download of {shown} ended after {got} of {length} bytes.")


def _opener() -> urllib.request.OpenerDirector:
    """As urllib has it, without files, FTP and data: neither at once nor by a redirection."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.UnknownHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _reason(error: Any) -> str:
    return " ".join(str(getattr(error, "reason", None) or error).split()) or type(error).__name__
