"""Download of a file from a URL that the user gives."""

import http.client
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

from catdog_stream.errors import InputError

__all__ = ["download", "is_address"]

_SCHEMES = ("http", "https")
#: Timeout of the response, and of each read of it.
_SECONDS = 30
_CHUNK = 1 << 16


def is_address(text: str) -> bool:
    """Return if ``text`` is a URL, and not the name of a file."""
    return "://" in text


def download(address: str, target: Path, *, most: int, progress: bool = True) -> None:
    """Write the response of ``address`` to ``target``, ``most`` bytes at most.

    Only the schemes http and https are allowed, for redirections, too. Raises ``InputError``.
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
        # urllib raises OSErrors, and ValueError for a URL with an invalid character.
        raise InputError(f"{shown} cannot be downloaded: {_reason(error)}.") from error
    if length is not None and got < length:
        raise InputError(f"The download of {shown} ended after {got} of {length} bytes.")


def _opener() -> urllib.request.OpenerDirector:
    """Return urllib's opener without file, FTP and data URLs, for redirections, too."""
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
