"""Settings of SASL's mechanism OAUTHBEARER, and the source of its tokens."""

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from catdog_stream.errors import SettingError
from catdog_stream.kafka.rotated_secrets import Reread
from catdog_stream.kafka.token_endpoint import URL, TokenEndpoint
from catdog_stream.kafka.tokens import Token, TokenError, TokenSource
from catdog_stream.kafka.variables import first_line, path, refuse, required, secret

__all__ = ["OAUTH_VARIABLES", "OAuth"]

_FILE, _REGION = "CATDOG_OAUTH_TOKEN_FILE", "CATDOG_OAUTH_AWS_REGION"
SOURCES = (URL, _FILE, _REGION)
_SECRET = "CATDOG_OAUTH_CLIENT_SECRET"
_CLIENT = ("CATDOG_OAUTH_CLIENT_ID", _SECRET, f"{_SECRET}_FILE", "CATDOG_OAUTH_SCOPE")
_EXTENSIONS = "CATDOG_OAUTH_EXTENSIONS"
OAUTH_VARIABLES = (*SOURCES, *_CLIENT, _EXTENSIONS)

_SIGNER = "aws_msk_iam_sasl_signer"


@dataclass(frozen=True)
class OAuth:
    """Source of tokens: a token endpoint, a file, or a region of AWS; the others are empty."""

    url: str = ""
    client_id: str = ""
    secret: str = field(default="", repr=False)
    #: File of ``secret``; ``None`` if the environment holds the secret itself.
    secret_file: Path | None = None
    scope: str = ""
    token_file: Path | None = None
    aws_region: str = ""
    #: SASL extensions: their names and values.
    extensions: tuple[tuple[str, str], ...] = ()
    #: PEM: authorities of the token endpoint, beside those that the system trusts.
    ca_file: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], ca_file: Path | None) -> "OAuth":
        """Read ``CATDOG_OAUTH_*``.

        Raises:
            SettingError: a value is invalid, is missing, or has no meaning with the others.
        """
        named = [name for name in SOURCES if environment.get(name, "").strip()]
        if len(named) != 1:
            raise SettingError(
                f"CATDOG_SASL_MECHANISM=OAUTHBEARER needs one of {', '.join(SOURCES)}."
            )
        value = environment[named[0]].strip()
        extensions = _extensions(environment.get(_EXTENSIONS, ""))
        if named != [URL]:
            refuse(environment, _CLIENT, URL)
        if named == [_FILE]:
            first_line(_FILE, Path(value))
            return cls(token_file=path(environment, _FILE), extensions=extensions)
        if named == [_REGION]:
            if find_spec(_SIGNER) is None:
                raise SettingError(
                    f"{_REGION} needs a package: run pip install 'catdog-stream[msk]'."
                )
            return cls(aws_region=value, extensions=extensions)
        if not _is_address(value):  # it is not shown: it may hold a password
            raise SettingError(
                f"{URL} cannot be used: it must be https://HOST/PATH in ASCII, without a user name."
            )
        client_id = required(environment, _CLIENT[0], URL)
        client_secret, file = secret(environment, _SECRET, URL)
        scope = environment.get(_CLIENT[3], "").strip()
        return cls(
            value, client_id, client_secret, file, scope, extensions=extensions, ca_file=ca_file
        )

    @property
    def user(self) -> str:
        """The user that the cluster sees, as text for messages."""
        if self.client_id:
            return f"the client {self.client_id}"
        return f"the owner of the token from {self.token_file or 'AWS'}"

    @property
    def refused(self) -> str:
        """Text for messages: the credentials that a cluster refused, and the settings to check."""
        if self.url:
            return f"the token from {URL}: check CATDOG_OAUTH_SCOPE and what the broker expects"
        if self.token_file:
            return f"the token: check the file in {_FILE}"
        return f"the token from AWS: check {_REGION} and the rights of this machine's role"

    @cached_property
    def tokens(self) -> TokenSource:
        """The source of tokens, one for all clients of this process."""
        return TokenSource(self._fetch(), dict(self.extensions))

    def _fetch(self) -> Callable[[], Token]:
        if self.aws_region:
            return partial(_signed, self.aws_region)
        if self.token_file:
            token = Reread(partial(first_line, _FILE, self.token_file), [self.token_file])
            return lambda: Token(token.current())
        current, variable = (lambda: self.secret), _SECRET
        if self.secret_file:
            variable = f"{_SECRET}_FILE"
            read = partial(first_line, variable, self.secret_file)
            current = Reread(read, [self.secret_file], self.secret).current
        return TokenEndpoint(
            self.url, self.client_id, current, variable, self.scope, self._context
        ).fetch

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.ca_file:
            context.load_verify_locations(self.ca_file)
        return context


def _is_address(url: str) -> bool:
    """Return whether ``url`` is the address of a token endpoint."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        return False
    return bool(usable) and parts.username is None and re.fullmatch(r"[!-~]+", url) is not None


def _signed(region: str) -> Token:
    """Return a token for Amazon MSK, signed with the credentials that AWS's library finds.

    Raises:
        TokenError: there are no such credentials.
    """
    signer = import_module(f"{_SIGNER}.MSKAuthTokenProvider")
    try:
        text, _expires_at = signer.generate_auth_token(region)
    except Exception as error:  # botocore has no common base class for its errors
        raise TokenError(
            f"No token for Amazon MSK can be signed ({type(error).__name__}): check the "
            "credentials of AWS here.",
            passing=True,
        ) from error
    return Token(text)


def _extensions(text: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs in ``name=value,name=value``. Raises ``SettingError``."""
    pairs = [pair.strip().partition("=") for pair in text.split(",") if pair.strip()]
    for name, _, value in pairs:
        if not (name.isascii() and name.isalpha() and value and value.isascii()):
            raise SettingError(
                f"{_EXTENSIONS}={text!r} cannot be used: it must be name=value,name=value."
            )
    return tuple((name, value) for name, _, value in pairs)
