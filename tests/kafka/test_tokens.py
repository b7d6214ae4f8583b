"""Tests of tokens for SASL: fetched from a token endpoint, shared, replaced, and retried."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from catdog_stream import deadlines
from catdog_stream.kafka.oauth import OAuth
from catdog_stream.kafka.security import Security
from catdog_stream.kafka.tokens import Token, TokenError, TokenSource
from tests.support.identity_provider import CLIENT, IdentityProvider, identity_provider
from tests.support.secured import Certificates


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with identity_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture
def provider(running: IdentityProvider) -> IdentityProvider:
    running.reset()
    return running


@pytest.fixture
def secret_file(tmp_path: Path, provider: IdentityProvider) -> Path:
    file = tmp_path / "client-secret"
    file.write_text(f"{provider.secret}\n")
    return file


def oauth(provider: IdentityProvider, file: Path, **others: str) -> OAuth:
    environment = {
        "CATDOG_SECURITY": "sasl_plaintext",
        "CATDOG_SASL_MECHANISM": "oauthbearer",
        "CATDOG_OAUTH_TOKEN_URL": provider.token_url,
        "CATDOG_OAUTH_CLIENT_ID": CLIENT,
        "CATDOG_OAUTH_CLIENT_SECRET_FILE": str(file),
        **others,
    }
    found = Security.from_environment(environment).oauth
    assert found is not None
    return found


def failure(tokens: TokenSource) -> str:
    with pytest.raises(TokenError) as caught:
        asyncio.run(tokens.token())
    return str(caught.value)


def test_clients_of_several_loops_share_a_token(
    provider: IdentityProvider, secret_file: Path
) -> None:
    tokens = oauth(provider, secret_file, CATDOG_OAUTH_SCOPE="kafka").tokens

    async def several() -> set[str]:
        return set(await asyncio.gather(*(tokens.token() for _ in range(5))))

    assert len({*asyncio.run(several()), *asyncio.run(several())}) == 1
    assert provider.requests == [({"grant_type": "client_credentials", "scope": "kafka"}, 200)]


def test_a_token_is_replaced_before_it_expires_and_kept_if_the_provider_is_away(
    provider: IdentityProvider, secret_file: Path
) -> None:
    now = [100.0]
    fetch = oauth(provider, secret_file).tokens._fetch
    tokens = TokenSource(fetch, {}, lambda: now[0])
    provider.lifetime = 60
    first = asyncio.run(tokens.token())
    now[0] += 47
    assert asyncio.run(tokens.token()) == first
    now[0] += 2
    provider.broken = 503
    assert asyncio.run(tokens.token()) == first
    provider.broken = None
    now[0] += 1
    assert asyncio.run(tokens.token()) != first


def test_a_refused_token_is_replaced_unless_it_is_new(
    provider: IdentityProvider, secret_file: Path
) -> None:
    now = [100.0]
    provider.lifetime = 3600
    tokens = TokenSource(oauth(provider, secret_file).tokens._fetch, {}, lambda: now[0])
    first = asyncio.run(tokens.token())
    now[0] += 10
    tokens.discard()
    assert asyncio.run(tokens.token()) == first
    now[0] += 30
    tokens.discard()
    assert asyncio.run(tokens.token()) != first


def test_a_failure_that_may_pass_is_retried(provider: IdentityProvider, secret_file: Path) -> None:
    tokens = oauth(provider, secret_file).tokens
    provider.broken = 503

    async def scenario() -> str:
        asking = asyncio.ensure_future(tokens.token())
        while len(provider.requests) < 2:
            await asyncio.sleep(0.01)
        provider.broken = None
        return await asking

    assert asyncio.run(scenario())
    assert [status for _, status in provider.requests] == [503, 503, 200]


def test_a_provider_that_stays_away_is_asked_less_and_less(
    provider: IdentityProvider, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "TOKEN", 0.8)
    tokens = oauth(provider, secret_file).tokens
    provider.broken = 503
    sentence = "The token endpoint in CATDOG_OAUTH_TOKEN_URL answers 503 temporarily_unavailable."
    assert failure(tokens) == sentence
    assert failure(tokens) == sentence
    assert len(provider.requests) == 2  # after 0 and 0.5 s; the next is due after 1.5 s


@pytest.mark.parametrize("status", [307, 301])
def test_the_secret_is_not_sent_to_another_address(
    provider: IdentityProvider, secret_file: Path, status: int
) -> None:
    provider.broken = status
    assert f"answers {status}" in failure(oauth(provider, secret_file).tokens)
    assert len(provider.requests) == 1


def test_a_rotated_secret_is_read_again_and_none_is_shown(
    provider: IdentityProvider, secret_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        settings = oauth(provider, secret_file)
        tokens = settings.tokens
        provider.secret = "second-client-secret"
        assert failure(tokens) == (
            "The token endpoint in CATDOG_OAUTH_TOKEN_URL answers 401 invalid_client: check "
            "CATDOG_OAUTH_CLIENT_ID, CATDOG_OAUTH_CLIENT_SECRET_FILE and CATDOG_OAUTH_SCOPE."
        )
        secret_file.write_text("second-client-secret\n")

        async def until_it_is_accepted() -> str:
            while True:
                try:
                    return await tokens.token()
                except TokenError:
                    await asyncio.sleep(0.05)

        token = asyncio.run(until_it_is_accepted())
    shown = f"{caplog.text} {settings!r} {tokens!r}"
    for secret in ("first-client-secret", "second-client-secret", token):
        assert secret not in shown


def test_an_answer_without_a_token(provider: IdentityProvider, secret_file: Path) -> None:
    provider.broken = 200
    assert failure(oauth(provider, secret_file).tokens) == (
        "The answer of the token endpoint holds no token: check CATDOG_OAUTH_TOKEN_URL."
    )


def test_an_endpoint_that_is_not_there_and_one_that_is_silent(
    provider: IdentityProvider, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "TOKEN_REQUEST", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"http://127.0.0.1:{port}/token"
        sentence = failure(oauth(provider, secret_file, CATDOG_OAUTH_TOKEN_URL=url).tokens)
        assert "cannot be reached (timed out)" in sentence
        monkeypatch.setattr(deadlines, "TOKEN_REQUEST", 10)
        monkeypatch.setattr(deadlines, "TOKEN", 0.1)
        tokens = oauth(provider, secret_file, CATDOG_OAUTH_TOKEN_URL=url).tokens
        assert failure(tokens) == str(tokens.error) == "No token for Kafka arrived in 0.1 s."
    monkeypatch.setattr(deadlines, "TOKEN", 1)
    sentence = failure(oauth(provider, secret_file, CATDOG_OAUTH_TOKEN_URL=url).tokens)
    assert "cannot be reached (Connection refused)" in sentence


def test_the_endpoint_must_have_a_certificate_of_a_trusted_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "TOKEN", 0.4)
    certificates = Certificates(tmp_path)
    certificates.make()
    (tmp_path / "secret").write_text("first-client-secret")
    with identity_provider(tmp_path, certificates) as provider:
        tls = {"CATDOG_SECURITY": "sasl_ssl"}
        assert "certificate verify failed" in failure(
            oauth(provider, tmp_path / "secret", **tls).tokens
        )
        tls["CATDOG_TLS_CA_FILE"] = str(certificates.authority)
        assert asyncio.run(oauth(provider, tmp_path / "secret", **tls).tokens.token())


@contextmanager
def endpoint(*parts: bytes, pause: float = 0.0) -> Iterator[str]:
    """Run an endpoint that sends ``parts``, one after the other; yield its address."""

    def answer(server: socket.socket) -> None:
        with suppress(OSError):  # closed at the end of the test, or by the client
            while True:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    for part in parts:
                        connection.sendall(part)
                        time.sleep(pause)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, args=[server], daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/token"
        server.shutdown(socket.SHUT_RDWR)


def test_the_text_of_something_else_than_http_is_not_shown(
    provider: IdentityProvider, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "TOKEN", 0.4)
    with endpoint(b"\x1b[31mnot HTTP\r\n") as url:
        assert failure(oauth(provider, secret_file, CATDOG_OAUTH_TOKEN_URL=url).tokens) == (
            "The token endpoint in CATDOG_OAUTH_TOKEN_URL cannot be reached (BadStatusLine)."
        )


def test_an_answer_that_does_not_end_is_given_up(
    provider: IdentityProvider, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "TOKEN_REQUEST", 0.2)
    parts = [b"HTTP/1.1 200 OK\r\n\r\n", *[b" "] * 100]
    with endpoint(*parts, pause=0.05) as url:
        tokens = oauth(provider, secret_file, CATDOG_OAUTH_TOKEN_URL=url).tokens
        assert "cannot be reached (timed out)" in failure(tokens)


def test_each_connection_gets_the_present_token_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    tokens = OAuth(token_file=file).tokens
    assert asyncio.run(tokens.token()) == "first"
    file.write_text("second token\n")
    assert asyncio.run(tokens.token()) == "second token"
    file.unlink()
    assert asyncio.run(tokens.token()) == "second token"


def test_an_unexpected_error_is_reported_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch() -> Token:
        raise RuntimeError("secret")

    monkeypatch.setattr(deadlines, "TOKEN", 0.1)
    assert failure(TokenSource(fetch, {})) == "No token for Kafka can be had: RuntimeError."


def test_a_token_for_amazon_msk_is_signed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not tried with AWS."""
    pytest.importorskip("aws_msk_iam_sasl_signer", reason="the extra msk is not installed")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    assert len(asyncio.run(OAuth(aws_region="eu-central-1").tokens.token())) > 100
