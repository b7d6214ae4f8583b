"""Listeners with TLS or SASL, the certificates they show and the users they know."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from catdog_stream.broker import LocalKafka
from catdog_stream.kafka.cluster import create, create_compacted, create_topics
from catdog_stream.settings import Settings
from catdog_stream.testing.ports import free_ports
from catdog_stream.worker.needs import topics_of
from catdog_stream.worker.roles import role_of
from tests.support.names import REPLAYED

HOST = "127.0.0.1"
_SECONDS = 60.0
USER, PASSWORD = "alice", "horse-battery-staple"
#: User without any right.
NOBODY = "bob"
#: Name of the client's certificate in Kafka.
CERTIFIED = "CN=client"

#: Listener to its protocol; ``MUTUAL`` requires a client certificate, and ``ELSEWHERE`` is
#: advertised under a name that has no address.
_PROTOCOLS = {
    "SSL": "SSL",
    "MUTUAL": "SSL",
    "SASL_SSL": "SASL_SSL",
    "SASL_PLAINTEXT": "SASL_PLAINTEXT",
    "ELSEWHERE": "PLAINTEXT",
}
NOWHERE = "kafka.internal.invalid:9092"
_SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_PLAIN_LOGIN = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    f'user_{USER}="{PASSWORD}" user_{NOBODY}="{PASSWORD}";'
)


@dataclass(frozen=True)
class Certificates:
    """PEM files, created with the program ``openssl``; valid for two days."""

    folder: Path

    @property
    def authority(self) -> Path:
        """Certificate of the authority that signed the other two."""
        return self.folder / "ca.pem"

    @property
    def server(self) -> Path:
        """Certificate and key of the server at ``HOST``, which has no other name."""
        return self.folder / "server.pem"

    @property
    def client(self) -> Path:
        """Certificate and key of a client."""
        return self.folder / "client.pem"

    def make(self) -> None:
        """Write the files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # From Python 3.13 on, an authority must state that it signs certificates.
        signing = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self._openssl("ca", "-keyout", "ca.key", "-out", "ca.pem", *signing)
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=CA:FALSE")
        for name in ("server", "client"):
            files = ("-keyout", f"{name}.key", "-out", f"{name}.crt")
            self._openssl(name, *files, *signed, "-addext", f"subjectAltName=IP:{HOST}")
            key, certificate = (self.folder / file for file in (files[1], files[3]))
            (self.folder / f"{name}.pem").write_text(key.read_text() + certificate.read_text())

    def _openssl(self, name: str, *arguments: str) -> None:
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        subprocess.run(
            ["openssl", "req", "-x509", *key, "-days", "2", "-subj", f"/CN={name}", *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
        )


class SecuredListeners:
    """Listeners of a `LocalKafka`, beside the one at its port, which requires no authentication."""

    def __init__(self, folder: Path, port: int, controller_port: int) -> None:
        self.certificates = Certificates(folder / "certificates")
        self._plain = {"PLAINTEXT": port, "CONTROLLER": controller_port}
        self._ports = dict(zip(_PROTOCOLS, free_ports(len(_PROTOCOLS)), strict=True))

    def port(self, listener: str) -> int:
        """Return the port of ``SSL``, ``MUTUAL``, ``SASL_SSL`` or ``SASL_PLAINTEXT``."""
        return self._ports[listener]

    @property
    def plain_port(self) -> int:
        """Port of the listener without authentication, where everything is allowed."""
        return self._plain["PLAINTEXT"]

    @property
    def users(self) -> list[str]:
        """Arguments of Kafka's storage tool that create the users."""
        return [
            argument
            for mechanism in _SCRAM
            for argument in ("--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]")
        ]

    def properties(self) -> Mapping[str, str]:
        """Return settings of the server that extend or replace its own."""
        listeners = {
            name: f"{name}://{HOST}:{port}" for name, port in (self._plain | self._ports).items()
        }
        advertised = listeners | {"ELSEWHERE": f"ELSEWHERE://{NOWHERE}"}
        protocols = {**dict.fromkeys(self._plain, "PLAINTEXT"), **_PROTOCOLS}
        settings = {
            "listeners": ",".join(listeners.values()),
            "advertised.listeners": ",".join(
                address for name, address in advertised.items() if name != "CONTROLLER"
            ),
            "listener.security.protocol.map": ",".join(
                f"{name}:{protocol}" for name, protocol in protocols.items()
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.certificates.server),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.certificates.authority),
            "listener.name.mutual.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": ",".join(("PLAIN", *_SCRAM)),
            # With TLS every mechanism would be safe; one listener refuses a mechanism for the
            # tests.
            "listener.name.sasl_ssl.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        }
        for listener in ("sasl_ssl", "sasl_plaintext"):
            prefix = f"listener.name.{listener}"
            settings[f"{prefix}.plain.sasl.jaas.config"] = _PLAIN_LOGIN
            for mechanism in _SCRAM:
                settings[f"{prefix}.{mechanism.lower()}.sasl.jaas.config"] = _SCRAM_LOGIN
        return settings


@contextmanager
def secured_kafka(folder: Path) -> Iterator[SecuredListeners]:
    """Run a broker with a listener of each kind until the block ends."""
    if shutil.which("openssl") is None:
        pytest.skip("certificates cannot be made: openssl is not installed")
    port, controller_port = free_ports(2)
    listeners = SecuredListeners(folder, port, controller_port)
    listeners.certificates.make()
    with LocalKafka(
        port,
        folder,
        extra=listeners.properties(),
        format_arguments=listeners.users,
        controller_port=controller_port,
    ):
        yield listeners


async def create_all(settings: Settings) -> None:
    """Create every topic that a worker needs, as an administrator of the cluster does."""
    await create_topics(settings.cluster)
    await create(settings.cluster, list(topics_of(role_of(settings), settings)))
    await create_compacted(settings.cluster, REPLAYED)


def set_password(address: str, user: str, password: str) -> None:
    """Set the password of a SCRAM-SHA-512 user, through a listener where everything is allowed."""
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    change = UserScramCredentialUpsertion(user, info, password.encode())
    admin = AdminClient({"bootstrap.servers": address})
    for done in admin.alter_user_scram_credentials([change]).values():
        done.result(_SECONDS)
