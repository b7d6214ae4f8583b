"""Secured clusters: TLS and SASL settings, converted to the credentials of Faust and aiokafka.

The names of protocols and mechanisms are Kafka's (``security.protocol``, ``sasl.mechanism``).
Kerberos and OAuth are not supported: they need more than a name and a password.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import faust
from faust.types.auth import CredentialsT

from catdog_stream.errors import SettingError
from catdog_stream.kafka.rotated_secrets import RereadContext, RereadPassword

__all__ = ["Security"]

PROTOCOLS = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

SASL_VARIABLES = (
    "CATDOG_SASL_MECHANISM",
    "CATDOG_SASL_USERNAME",
    "CATDOG_SASL_PASSWORD",
    "CATDOG_SASL_PASSWORD_FILE",
)
TLS_VARIABLES = ("CATDOG_TLS_CA_FILE", "CATDOG_TLS_CERT_FILE", "CATDOG_TLS_KEY_FILE")


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

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Security":
        """Read ``CATDOG_SECURITY``, ``CATDOG_SASL_*`` and ``CATDOG_TLS_*``.

        Raises:
            SettingError: a value is invalid, is missing, or has no meaning with the others.
        """
        text = environment.get("CATDOG_SECURITY", "").strip()
        protocol = _one_of("CATDOG_SECURITY", text.lower() or cls.protocol, PROTOCOLS)
        uses_sasl, uses_tls = protocol.startswith("sasl_"), protocol.endswith("ssl")
        if not uses_sasl:
            _refuse(environment, SASL_VARIABLES, "sasl_plaintext or sasl_ssl")
        if not uses_tls:
            _refuse(environment, TLS_VARIABLES, "ssl or sasl_ssl")
        mechanism = username = password = ""
        password_file = None
        if uses_sasl:
            mechanism = _required(environment, "CATDOG_SASL_MECHANISM", protocol).upper()
            mechanism = _one_of("CATDOG_SASL_MECHANISM", mechanism, MECHANISMS)
            username = _required(environment, "CATDOG_SASL_USERNAME", protocol)
            password = _password(environment, protocol)
            password_file = _path(environment, "CATDOG_SASL_PASSWORD_FILE")
        ca_file, cert_file, key_file = (_path(environment, name) for name in TLS_VARIABLES)
        if key_file and not cert_file:
            raise SettingError("CATDOG_TLS_KEY_FILE needs CATDOG_TLS_CERT_FILE.")
        return cls(
            protocol, mechanism, username, password, password_file, ca_file, cert_file, key_file
        )

    @property
    def user(self) -> str:
        """The user that the cluster sees, as text for messages."""
        if self.username:
            return f"the user {self.username}"
        if self.cert_file:
            return f"the owner of the certificate {self.cert_file}"
        return "anonymous users"

    @property
    def password_setting(self) -> str:
        """The variable that the password comes from."""
        return SASL_VARIABLES[3 if self.password_file else 2]

    def credentials(self) -> CredentialsT | None:
        """Return the value for Faust's ``broker_credentials``.

        Raises:
            SettingError: a certificate or key cannot be used.
        """
        context = None
        if self.protocol.endswith("ssl"):
            files = [file for file in (self.ca_file, self.cert_file, self.key_file) if file]
            context = RereadContext.of(self._ssl_context, files)
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
        return RereadPassword.of(
            self.password, partial(_first_line, self.password_file), self.password_file
        )

    def _ssl_context(self) -> ssl.SSLContext:
        """Return a context that verifies the broker's certificate and its host name."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:  # SSLError is an OSError
            raise _unusable("CATDOG_TLS_CA_FILE", self.ca_file, error) from error
        if self.cert_file:
            # Without this argument OpenSSL would ask for a password at the terminal.
            try:
                context.load_cert_chain(self.cert_file, self.key_file, password="")
            except OSError as error:
                names = "CATDOG_TLS_CERT_FILE"
                names += " with CATDOG_TLS_KEY_FILE" if self.key_file else ""
                raise _unusable(names, self.key_file or self.cert_file, error) from error
        return context


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise SettingError(
            f"{name}={value!r} cannot be used: it must be one of {', '.join(allowed)}."
        )
    return value


def _refuse(environment: Mapping[str, str], names: tuple[str, ...], protocols: str) -> None:
    """Raise ``SettingError`` for a secret or certificate that the protocol does not use."""
    for name in names:
        if environment.get(name):
            raise SettingError(f"{name} is set, but only CATDOG_SECURITY={protocols} uses it.")


def _required(environment: Mapping[str, str], name: str, protocol: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingError(f"CATDOG_SECURITY={protocol} needs {name}.")
    return value


def _password(environment: Mapping[str, str], protocol: str) -> str:
    """Return the password itself, or the first line of the file that holds it."""
    password, file = environment.get("CATDOG_SASL_PASSWORD"), _path(environment, SASL_VARIABLES[3])
    if password and file:
        raise SettingError("Set CATDOG_SASL_PASSWORD or CATDOG_SASL_PASSWORD_FILE, not both.")
    if file:
        password = _first_line(file)
    if not password:
        raise SettingError(
            f"CATDOG_SECURITY={protocol} needs CATDOG_SASL_PASSWORD or CATDOG_SASL_PASSWORD_FILE."
        )
    return password


def _first_line(file: Path) -> str:
    """Return the password in a file. Raises ``SettingError``."""
    try:
        password = file.read_text("utf-8").partition("\n")[0].removesuffix("\r")
    except OSError as error:
        raise _unusable("CATDOG_SASL_PASSWORD_FILE", file, error) from error
    except UnicodeDecodeError:  # not chained: its text would show the content of the file
        raise SettingError(f"CATDOG_SASL_PASSWORD_FILE={file} is not UTF-8 text.") from None
    if not password:
        raise SettingError(f"CATDOG_SASL_PASSWORD_FILE={file} holds no password.")
    return password


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name, "").strip()
    return Path(text) if text else None


def _unusable(name: str, file: Path | None, error: OSError) -> SettingError:
    why = "it is not PEM, damaged, or not what belongs there"
    if not isinstance(error, ssl.SSLError):
        why = error.strerror or type(error).__name__
    elif error.reason == "KEY_VALUES_MISMATCH":
        why = "key and certificate do not belong together"
    return SettingError(f"{name}={file} cannot be used: {why}.")
