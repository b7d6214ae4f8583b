"""Identity provider over HTTP: a token endpoint for client credentials, and its keys as a JWKS.

Its tokens are JSON Web Tokens, signed with the program ``openssl``.
"""

import json
import shutil
import ssl
import subprocess
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from tests.support.secured import Certificates

__all__ = ["IdentityProvider", "identity_provider"]

CLIENT = "catdog worker"


class IdentityProvider:
    """State of the provider: a test may change it while it runs, and read the requests of clients.

    Args:
        folder: for its key.
    """

    def __init__(self, folder: Path) -> None:
        self._key = folder / "signing.key"
        _openssl("genpkey", "-algorithm", "RSA", "-out", str(self._key))
        self.port, self.scheme = 0, "http"
        self.reset()

    def reset(self) -> None:
        """Return to the state of the start."""
        self.secret = "first-client-secret"
        #: Seconds that a token is valid.
        self.lifetime = 60.0
        #: Status that the token endpoint answers with, if it is not 200.
        self.broken: int | None = None
        #: Forms and statuses of the requests for a token.
        self.requests: list[tuple[dict[str, str], int]] = []

    @property
    def token_url(self) -> str:
        """Address of the token endpoint."""
        return f"{self.scheme}://127.0.0.1:{self.port}/token"

    @property
    def jwks_url(self) -> str:
        """Address of the public keys."""
        return f"{self.scheme}://127.0.0.1:{self.port}/jwks"

    @property
    def issued(self) -> int:
        """Number of tokens that the endpoint has issued."""
        return sum(status == 200 for _, status in self.requests)

    def token(self, subject: str = "catdog") -> str:
        """Return a token that is valid for ``lifetime`` from now."""
        now = time.time()
        claims = {
            "sub": subject,
            "iss": "tests",
            "aud": "kafka",
            "scope": "kafka",
            "iat": int(now),
            "exp": now + self.lifetime,
        }
        header = {"alg": "RS256", "typ": "JWT", "kid": "tests"}
        signed = b".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        signature = _openssl("dgst", "-sha256", "-sign", str(self._key), given=signed)
        return (signed + b"." + _encoded(signature)).decode()

    def jwks(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key Set."""
        text = _openssl("rsa", "-in", str(self._key), "-noout", "-modulus")
        modulus = bytes.fromhex(text.decode().strip().partition("=")[2])
        key = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": "tests",
            "n": _encoded(modulus).decode(),
            "e": "AQAB",
        }
        return {"keys": [key]}

    def answer(self, authorization: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Return the status and the document for a request to the token endpoint."""
        client, _, secret = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if self.broken is not None:
            return self.broken, {"error": "temporarily_unavailable"}
        if (unquote(client), unquote(secret)) != (CLIENT, self.secret):
            return 401, {"error": "invalid_client", "error_description": f"not {secret}"}
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        return 200, {"access_token": self.token(), "expires_in": self.lifetime}


@contextmanager
def identity_provider(
    folder: Path, certificates: Certificates | None = None
) -> Iterator[IdentityProvider]:
    """Run a provider on a free port until the block ends, over HTTPS if it has certificates."""
    if shutil.which("openssl") is None:
        pytest.skip("tokens cannot be signed: openssl is not installed")
    provider = IdentityProvider(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, provider.jwks())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            status, document = provider.answer(self.headers.get("Authorization", ""), form)
            provider.requests.append((form, status))
            self._send(status, document)

        def _send(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if 300 <= status < 400:
                self.send_header("Location", provider.token_url)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Write no log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.port = server.server_address[1]
        if certificates is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificates.server)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            provider.scheme = "https"
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield provider
        finally:
            server.shutdown()
            serving.join()


def _encoded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _openssl(*arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *arguments], input=given, check=True, capture_output=True)
    return done.stdout
