"""Secured clusters: TLS and SASL settings, converted to the credentials of Faust and aiokafka.

The names of protocols and mechanisms are Kafka's (``security.protocol``, ``sasl.mechanism``).
Kerberos is not supported.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import faust
from faust.types.auth import CredentialsT

from catdog_stream.errors import SettingError
from catdog_stream.kafka.oauth import OAUTH_VARIABLES, OAuth
from catdog_stream.kafka.rotated_secrets import RereadContext, RereadPassword
from catdog_stream.kafka.variables import (
    first_line,
    one_of,
    path,
    refuse,
    required,
    secret,
    unusable,
)

__all__ = ["VARIABLES", "Security"]

PROTOCOLS = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
OAUTH = "OAUTHBEARER"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", OAUTH)

_PASSWORD = "CATDOG_SASL_PASSWORD"
PASSWORD_VARIABLES = ("CATDOG_SASL_USERNAME", _PASSWORD, f"{_PASSWORD}_FILE")
SASL_VARIABLES = ("CATDOG_SASL_MECHANISM", *PASSWORD_VARIABLES, *OAUTH_VARIABLES)
TLS_VARIABLES = ("CATDOG_TLS_CA_FILE", "CATDOG_TLS_CERT_FILE", "CATDOG_TLS_KEY_FILE")
#: Variables that `Security.from_environment` reads.
VARIABLES = ("CATDOG_SECURITY", *SASL_VARIABLES, *TLS_VARIABLES)


@dataclass(frozen=True)
class Security:
    """Protocol and credentials for the cluster. Build it with :meth:`from_environment`."""

    protocol: str = "plaintext"
    mechanism: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    #: File of ``password``; ``None`` if the environment holds the password itself.
    password_file: Path | None = None
    #: PEM: trusted authorities; ``None`` means the authorities that the system trusts.
    ca_file: Path | None = None
    #: PEM: the client certificate, for clusters that ask for one.
    cert_file: Path | None = None
    #: PEM without a passphrase: the key of ``cert_file``; ``None`` if that file holds the key too.
    key_file: Path | None = None
    #: Source of tokens, for the mechanism OAUTHBEARER.
    oauth: OAuth | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Security":
        """Read ``CATDOG_SECURITY``, ``CATDOG_SASL_*``, ``CATDOG_OAUTH_*`` and ``CATDOG_TLS_*``.

        Raises:
            SettingError: a value is invalid, is missing, or has no meaning with the others.
        """
        text = environment.get("CATDOG_SECURITY", "").strip()
        protocol = one_of("CATDOG_SECURITY", text.lower() or cls.protocol, PROTOCOLS)
        uses_sasl, uses_tls = protocol.startswith("sasl_"), protocol.endswith("ssl")
        if not uses_sasl:
            refuse(environment, SASL_VARIABLES, "CATDOG_SECURITY=sasl_plaintext or sasl_ssl")
        if not uses_tls:
            refuse(environment, TLS_VARIABLES, "CATDOG_SECURITY=ssl or sasl_ssl")
        ca_file, cert_file, key_file = (path(environment, name) for name in TLS_VARIABLES)
        if key_file and not cert_file:
            raise SettingError("CATDOG_TLS_KEY_FILE needs CATDOG_TLS_CERT_FILE.")
        secured = cls(protocol, ca_file=ca_file, cert_file=cert_file, key_file=key_file)
        return secured._with_sasl(environment) if uses_sasl else secured

    def _with_sasl(self, environment: Mapping[str, str]) -> "Security":
        """Return a copy with the mechanism and its secrets. Raises ``SettingError``."""
        user = f"CATDOG_SECURITY={self.protocol}"
        name = "CATDOG_SASL_MECHANISM"
        mechanism = one_of(name, required(environment, name, user).upper(), MECHANISMS)
        if mechanism == OAUTH:
            refuse(environment, PASSWORD_VARIABLES, f"{name}=PLAIN or SCRAM")
            oauth = OAuth.from_environment(environment, self.ca_file)
            return replace(self, mechanism=mechanism, oauth=oauth)
        refuse(environment, OAUTH_VARIABLES, f"{name}={OAUTH}")
        username = required(environment, PASSWORD_VARIABLES[0], user)
        password, file = secret(environment, _PASSWORD, user)
        return replace(
            self, mechanism=mechanism, username=username, password=password, password_file=file
        )

    @property
    def user(self) -> str:
        """The user that the cluster sees, as text for messages."""
        if self.oauth:
            return self.oauth.user
        if self.username:
            return f"the user {self.username}"
        if self.cert_file:
            return f"the owner of the certificate {self.cert_file}"
        return "anonymous users"

    @property
    def refused(self) -> str:
        """Text for messages: the credentials that a cluster refused, and the settings to check."""
        if self.oauth:
            return self.oauth.refused
        variables = PASSWORD_VARIABLES[0], PASSWORD_VARIABLES[2 if self.password_file else 1]
        return f"the user name or the password: check {' and '.join(variables)}"

    def credentials(self) -> CredentialsT | None:
        """Return the value for Faust's ``broker_credentials``.

        Raises:
            SettingError: a certificate or key cannot be used.
        """
        context = None
        if self.protocol.endswith("ssl"):
            files = [file for file in (self.ca_file, self.cert_file, self.key_file) if file]
            context = RereadContext.of(self._ssl_context, files)
        if self.oauth:
            return faust.OAuthCredentials(oauth_cb=self.oauth.tokens, ssl_context=context)
        if self.protocol.startswith("sasl_"):
            return faust.SASLCredentials(
                mechanism=self.mechanism,
                username=self.username,
                password=self._rotated(),
                ssl_context=context,
            )
        return faust.SSLCredentials(context) if context else None

    def _rotated(self) -> str:
        """Return the password; one from a file follows later changes of the file."""
        if self.password_file is None:
            return self.password
        read = partial(first_line, f"{_PASSWORD}_FILE", self.password_file)
        return RereadPassword.of(self.password, read, self.password_file)

    def _ssl_context(self) -> ssl.SSLContext:
        """Return a context that verifies the broker's certificate and its host name."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:  # SSLError is an OSError
            raise unusable("CATDOG_TLS_CA_FILE", self.ca_file, error) from error
        if self.cert_file:
            # Without this argument OpenSSL would ask for a password at the terminal.
            try:
                context.load_cert_chain(self.cert_file, self.key_file, password="")
            except OSError as error:
                names = "CATDOG_TLS_CERT_FILE"
                names += " with CATDOG_TLS_KEY_FILE" if self.key_file else ""
                raise unusable(names, self.key_file or self.cert_file, error) from error
        return context
