"""Bearer tokens for reading and for sending, if the settings have them."""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from catdog_stream.web.api.guards.origins import SAFE_METHODS
from catdog_stream.web.api.problems import Problem, is_api

__all__ = ["OPEN_PATHS", "PEER_PATHS", "Tokens"]

#: Paths for probes. They show nothing about requests.
OPEN_PATHS = frozenset(("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"))


#: Paths for other workers.
PEER_PATHS = frozenset(("/shards/",))


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """Tokens for reading and for sending, and that of other workers; ``None``: none is needed."""

    read: str | None
    send: str | None
    #: Returns a token that is accepted for ``PEER_PATHS`` as well.
    peer: Callable[[], str | None] = lambda: None

    def check(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Raise ``Problem`` if the client does not send the required token."""
        if path in OPEN_PATHS:
            return
        reads = method in SAFE_METHODS
        token = self.read if reads else self.send
        given = _given(headers.get("Authorization", ""))
        if token is None or _same(given, token):
            return
        if reads and path in PEER_PATHS and (peer := self.peer()) and _same(given, peer):
            return
        raise Problem(
            401,
            "It takes the token for reading." if reads else "It takes the token for sending.",
            headers={"WWW-Authenticate": _challenge(path, reads=reads)},
        )


def _challenge(path: str, *, reads: bool) -> str:
    """Return the challenge; only the page's paths make a browser ask for a password."""
    if not reads or is_api(path):
        return 'Bearer realm="catdog_stream"'
    return 'Basic realm="catdog_stream", charset="UTF-8", Bearer realm="catdog_stream"'


def _given(authorization: str) -> str:
    """Return the bearer token, or the password of any user."""
    scheme, _, credentials = authorization.strip().partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "bearer":
        return credentials
    if scheme.lower() == "basic":
        try:
            return b64decode(credentials, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""


def _same(given: str, token: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())
