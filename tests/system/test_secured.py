"""A cluster that asks for TLS or SASL: what fits gets in, what does not is told why.

Apache Kafka alone can show it, so these tests run with ``make test-kafka``. They start a server
of their own, with a listener of each kind.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.kafka import KafkaCluster, KafkaUnavailableError, SecuredListeners, fetch
from tests.support.kafka.secured import HOST, PASSWORD, USER
from tests.support.wait import wait_until
from tests.support.worker import Worker

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        "CATDOG_TEST_BROKER" not in os.environ, reason="needs Apache Kafka: make test-kafka"
    ),
]

SAMPLE = Path(__file__).parents[2] / "samples" / "cat-kitten.jpg"
SECONDS = 60


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredListeners]:
    if shutil.which("openssl") is None:
        pytest.skip("certificates cannot be made: openssl is not installed")
    try:
        jars = fetch()
    except KafkaUnavailableError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("secured-kafka")
    listeners = SecuredListeners(folder)
    with KafkaCluster(jars, folder, secured=listeners):
        yield listeners


def sasl(protocol: str, mechanism: str, password: str = PASSWORD) -> dict[str, str]:
    return {
        "CATDOG_SECURITY": protocol,
        "CATDOG_SASL_MECHANISM": mechanism,
        "CATDOG_SASL_USERNAME": USER,
        "CATDOG_SASL_PASSWORD": password,
    }


def trusting(secured: SecuredListeners) -> dict[str, str]:
    return {"CATDOG_TLS_CA_FILE": str(secured.certificates.authority)}


def catdog_stream(
    settings: Mapping[str, str], address: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "catdog_stream", *arguments],
        env={**os.environ, **settings, "CATDOG_BROKER": f"kafka://{address}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def refusal(settings: Mapping[str, str], address: str) -> str:
    answer = catdog_stream(settings, address, "send", str(SAMPLE))
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()
    return line.replace("\x1b[?25l", "").replace("\x1b[?25h", "").removeprefix("Error: ")


@pytest.mark.parametrize(
    ("listener", "kind"),
    [
        ("SSL", {"CATDOG_SECURITY": "SSL"}),
        ("MUTUAL", {"CATDOG_SECURITY": "ssl", "CATDOG_TLS_CERT_FILE": "client.pem"}),
        ("SASL_SSL", sasl("sasl_ssl", "SCRAM-SHA-512")),
        ("SASL_PLAINTEXT", sasl("SASL_PLAINTEXT", "PLAIN")),
        ("SASL_PLAINTEXT", sasl("sasl_plaintext", "SCRAM-SHA-256")),
    ],
)
def test_a_worker_labels_what_is_sent(
    secured: SecuredListeners, tmp_path: Path, listener: str, kind: dict[str, str]
) -> None:
    address = f"{HOST}:{secured.port(listener)}"
    settings = {
        **kind,
        **(trusting(secured) if kind["CATDOG_SECURITY"].lower()[-3:] == "ssl" else {}),
    }
    if certificate := kind.get("CATDOG_TLS_CERT_FILE"):
        settings["CATDOG_TLS_CERT_FILE"] = str(secured.certificates.folder / certificate)
    with Worker(address, tmp_path, settings=settings) as worker:
        worker.wait_ready()
        answer = catdog_stream(settings, address, "send", str(SAMPLE), "--wait")
        assert answer.returncode == 0, answer.stderr
        assert "Probabilities: cat 9" in answer.stdout
        assert worker.terminate() == 0
        assert PASSWORD not in worker.log.read_text() + answer.stdout + answer.stderr
