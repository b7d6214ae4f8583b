"""Tests of OAUTHBEARER with a broker that checks signed tokens, and ends sessions with them."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from catdog_stream.broker import LocalKafka
from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import Client, request
from tests.support.identity_provider import CLIENT, IdentityProvider, identity_provider
from tests.support.metrics import samples
from tests.support.pictures import LOOKING, RED
from tests.support.secured import HOST

pytestmark = [pytest.mark.integration, pytest.mark.long]

SECONDS = 60
#: Seconds that a token is valid: the broker ends a session with its token.
LIFETIME = 6
EXPIRIES = 4
#: Beginning of a token.
JWT = r"eyJ[\w-]{20}"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with identity_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


class Addresses(NamedTuple):
    """Addresses of one broker."""

    #: Without authentication.
    plain: str
    #: Requires tokens.
    oauth: str


@pytest.fixture(scope="module")
def broker(
    provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Addresses]:
    """Run a broker with both listeners."""
    port, oauth_port, controller_port = free_ports(3)
    listeners = {"PLAINTEXT": port, "OAUTH": oauth_port}
    all_listeners = listeners | {"CONTROLLER": controller_port}
    prefix = "listener.name.oauth.oauthbearer.sasl"
    settings = {
        "listeners": _addresses(all_listeners),
        "advertised.listeners": _addresses(listeners),
        "listener.security.protocol.map": (
            "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OAUTH:SASL_PLAINTEXT"
        ),
        "sasl.enabled.mechanisms": "OAUTHBEARER",
        f"{prefix}.jaas.config": (
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
        ),
        f"{prefix}.server.callback.handler.class": (
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler"
        ),
        "sasl.oauthbearer.jwks.endpoint.url": provider.jwks_url,
        "sasl.oauthbearer.expected.audience": "kafka",
        "sasl.oauthbearer.expected.issuer": "tests",
        "sasl.oauthbearer.clock.skew.seconds": "0",
        "connections.max.reauth.ms": "3600000",
    }
    allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={provider.jwks_url}"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("JDK_JAVA_OPTIONS", allowed)
        folder = tmp_path_factory.mktemp("oauth-kafka")
        kafka = LocalKafka(port, folder, extra=settings, controller_port=controller_port)
        with kafka:
            yield Addresses(kafka.address, f"{HOST}:{oauth_port}")


def _addresses(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://{HOST}:{port}" for name, port in ports.items())


@pytest.fixture
def address(broker: Addresses) -> str:
    """Return the address that requires tokens."""
    return broker.oauth


@pytest.fixture
def endpoint(provider: IdentityProvider, tmp_path: Path) -> dict[str, str]:
    """Return settings for the token endpoint."""
    provider.reset()
    (tmp_path / "secret").write_text(provider.secret)
    return {
        "CATDOG_SECURITY": "sasl_plaintext",
        "CATDOG_SASL_MECHANISM": "OAUTHBEARER",
        "CATDOG_OAUTH_TOKEN_URL": provider.token_url,
        "CATDOG_OAUTH_CLIENT_ID": CLIENT,
        "CATDOG_OAUTH_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
        "CATDOG_OAUTH_SCOPE": "kafka",
    }


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


def classify(settings: Mapping[str, str], address: str, folder: Path) -> None:
    picture = folder / "cat.png"
    picture.write_bytes(RED)
    answer = catdog_stream(settings, address, "send", str(picture), "--wait")
    assert answer.returncode == 0, answer.stderr
    assert "Probabilities: cat" in answer.stdout


def test_a_worker_classifies_while_its_tokens_expire(
    provider: IdentityProvider, broker: Addresses, endpoint: dict[str, str], tmp_path: Path
) -> None:
    async def load() -> None:
        end = time.monotonic() + EXPIRIES * LIFETIME
        async with Client(broker.plain) as client:
            sources: list[str] = []
            while time.monotonic() < end:
                sources += await client.send([request(RED)] * 10)
                await asyncio.sleep(0.1)
            await client.answers(sources)
            assert all(len(client.labels[source]) == 1 for source in sources)

    provider.lifetime = LIFETIME
    with Worker(broker.oauth, tmp_path, settings=endpoint, module=LOOKING) as worker:
        worker.wait_ready()
        errors = samples(worker.port, "catdog_broker_errors_total")
        asyncio.run(load())
        classify(endpoint, broker.oauth, tmp_path)
        assert samples(worker.port, "catdog_broker_errors_total") == errors
        assert worker.terminate() == 0
        log = worker.log.read_text()
        assert "Traceback" not in log
        assert not re.search(JWT, log)
        assert provider.secret not in log


def test_a_rotated_client_secret_needs_no_restart(
    provider: IdentityProvider, address: str, endpoint: dict[str, str], tmp_path: Path
) -> None:
    provider.lifetime = LIFETIME
    with Worker(address, tmp_path, settings=endpoint, module=LOOKING) as worker:
        worker.wait_ready()
        provider.secret = "second-client-secret"
        wait_until(
            lambda: any("401 invalid_client: check" in problem for problem in problems(worker)),
            "the worker to say that its client secret is refused",
            SECONDS,
        )
        Path(endpoint["CATDOG_OAUTH_CLIENT_SECRET_FILE"]).write_text(provider.secret)
        worker.wait_ready()
        classify(endpoint, address, tmp_path)
        assert "client-secret" not in worker.log.read_text()


def test_a_worker_waits_for_a_provider_that_is_away(
    provider: IdentityProvider, address: str, endpoint: dict[str, str], tmp_path: Path
) -> None:
    provider.broken = 503
    sentence = "The token endpoint in CATDOG_OAUTH_TOKEN_URL answers 503 temporarily_unavailable."
    answer = catdog_stream(endpoint, address, "recount", "--dry-run")
    assert (answer.returncode, answer.stderr) == (1, f"Error: {sentence}\n")
    with Worker(address, tmp_path, settings=endpoint, module=LOOKING) as worker:
        wait_until(lambda: sentence in problems(worker), "the worker to say why it waits", SECONDS)
        provider.broken = None
        worker.wait_ready()


def test_a_rotated_token_file_needs_no_restart(
    provider: IdentityProvider, address: str, tmp_path: Path
) -> None:
    provider.reset()
    provider.lifetime = LIFETIME
    file = tmp_path / "token"
    file.write_text(provider.token())
    settings = {
        "CATDOG_SECURITY": "sasl_plaintext",
        "CATDOG_SASL_MECHANISM": "OAUTHBEARER",
        "CATDOG_OAUTH_TOKEN_FILE": str(file),
    }
    refused = "refuses the token: check the file in CATDOG_OAUTH_TOKEN_FILE."
    with Worker(address, tmp_path, settings=settings, module=LOOKING) as worker:
        wait_until(
            lambda: any(problem.endswith(refused) for problem in problems(worker)),
            "the worker to say that its token has expired",
            SECONDS,
        )
        answer = catdog_stream(settings, address, "recount", "--dry-run")
        assert (answer.returncode, answer.stderr.count("\n")) == (1, 1)
        assert answer.stderr.endswith(f"{refused}\n")
        provider.lifetime = 60
        file.write_text(provider.token())
        worker.wait_ready()
        classify(settings, address, tmp_path)
        assert not re.search(JWT, worker.log.read_text())


def problems(worker: Worker) -> list[str]:
    """Return why the worker is not ready; empty before it answers."""
    try:
        found: list[str] = worker.get("/readyz").get("problems", [])
    except OSError:
        return []
    return found
