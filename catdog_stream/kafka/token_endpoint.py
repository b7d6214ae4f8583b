"""Token endpoint of an identity provider: OAuth 2.0 client credentials (RFC 6749, section 4.4)."""

import base64
import json
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from catdog_stream import deadlines
from catdog_stream.kafka.tokens import Token, TokenError

__all__ = ["URL", "TokenEndpoint"]

#: Variable with the address. Messages name it, since anyone may read them at ``/readyz``.
URL = "CATDOG_OAUTH_TOKEN_URL"

#: Longest answer that is read, in bytes.
_MAX_BYTES = 1024 * 1024
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
#: Codes of errors, such as ``invalid_client``: nothing else of an answer is shown.
_CODE = re.compile(r"[a-z_]{1,40}")
#: What goes into the request of SASL as it is (RFC 6750, section 2.1).
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class _NoRedirects(HTTPRedirectHandler):
    """Redirects are errors: the client secret is for one address."""

    def redirect_request(self, *_arguments: Any) -> None:
        """Return no request."""


@dataclass(frozen=True)
class TokenEndpoint:
    """Address of a token endpoint, and a client that it knows."""

    url: str
    client_id: str
    #: Returns the present client secret.
    secret: Callable[[], str]
    #: Variable that the secret comes from, for messages.
    secret_variable: str
    scope: str
    #: Returns the context of an HTTPS connection.
    context: Callable[[], ssl.SSLContext]

    def fetch(self) -> Token:
        """Return a new token. Raises ``TokenError``."""
        try:
            opener = build_opener(HTTPSHandler(context=self.context()), _NoRedirects)
            with opener.open(self._request(), timeout=deadlines.TOKEN_REQUEST) as answer:
                return self._token(_body(answer))
        except HTTPError as error:
            with error:
                raise self._refusal(error) from None
        except HTTPException as error:  # its text may be the endpoint's
            raise _unreachable(type(error).__name__) from None
        except OSError as error:
            reason = getattr(error, "reason", error)  # URLError wraps the error of the connection
            why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
            raise _unreachable(why) from None

    def _request(self) -> Request:
        form = {"grant_type": "client_credentials"} | ({"scope": self.scope} if self.scope else {})
        client = ":".join(quote(part, safe="") for part in (self.client_id, self.secret()))
        headers = {
            "Authorization": f"Basic {base64.b64encode(client.encode()).decode()}",
            "Accept": "application/json",
        }
        return Request(self.url, urlencode(form).encode(), headers)

    def _token(self, answer: bytes) -> Token:
        try:
            document = json.loads(answer)
            text, lifetime = document["access_token"], float(document.get("expires_in") or 0)
            if _TOKEN.fullmatch(text):
                return Token(text, lifetime)
        except (ValueError, LookupError, TypeError, AttributeError):
            pass
        raise TokenError(
            f"The answer of the token endpoint holds no token: check {URL}.", passing=False
        )

    def _refusal(self, error: HTTPError) -> TokenError:
        passing = error.code >= _SERVER_ERROR or error.code == _TOO_MANY_REQUESTS
        try:
            code = json.loads(_body(error))["error"]
            named = f" {code}" if _CODE.fullmatch(code) else ""
        except (OSError, HTTPException, ValueError, LookupError, TypeError):
            named = ""
        sentence = f"The token endpoint in {URL} answers {error.code}{named}"
        if not passing:
            variables = f"CATDOG_OAUTH_CLIENT_ID, {self.secret_variable} and CATDOG_OAUTH_SCOPE"
            sentence = f"{sentence}: check {variables}"
        return TokenError(f"{sentence}.", passing=passing)


def _body(answer: HTTPResponse | HTTPError) -> bytes:
    """Return the body of an answer, or its beginning.

    Raises:
        TimeoutError: the body lasts longer than a request may.
    """
    end = time.monotonic() + deadlines.TOKEN_REQUEST
    body = b""
    while len(body) < _MAX_BYTES and (part := answer.read1(_MAX_BYTES - len(body))):
        body += part
        if time.monotonic() > end:
            raise TimeoutError("timed out")
    return body


def _unreachable(why: str) -> TokenError:
    return TokenError(f"The token endpoint in {URL} cannot be reached ({why}).", passing=True)
