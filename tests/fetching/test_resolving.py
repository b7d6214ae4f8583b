"""Tests that a connection goes to the checked address, with a certificate for the typed name."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from catdog_stream.fetching.fetcher import Fetcher
from catdog_stream.fetching.resolving import CheckedResolver, NotPublicError, SystemLookup
from catdog_stream.fetching.rules import Rules
from catdog_stream.settings.allowed_hosts import AllowedHost
from tests.fetching.serving import PNG, allowing, answering, leading_to, serving, visit
from tests.support.secured import Certificates

NOT_PUBLIC = "The address is not on the public internet, or there is no such host."
PUBLIC = "93.184.215.14"


class Names:
    """Name server that returns other addresses for each query; the last ones for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        answer = self._answers[min(len(self.asked), len(self._answers) - 1)]
        self.asked.append(host)
        return answer


def resolved(*addresses: str, rules: Rules | None = None, port: int = 443) -> list[str]:
    resolver = CheckedResolver(rules or Rules("on"), Names(addresses))
    return [found["host"] for found in asyncio.run(resolver.resolve("host", port))]


def connected(names: Names, monkeypatch: pytest.MonkeyPatch) -> tuple[list[object], bytes | str]:
    """Return the addresses that ``https://host/`` connects to, all refused, and the result."""
    tried: list[object] = []

    async def connect(_socket: object, address: tuple[Any, ...]) -> None:
        tried.append(address[:2])
        raise ConnectionRefusedError

    async def scenario() -> bytes | str:
        monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", connect)
        return await visit("https://host/", Fetcher(Rules("on"), lookup=names))

    said = asyncio.run(scenario())
    return tried, said


def test_a_name_that_has_other_addresses_the_next_time_is_asked_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names([PUBLIC], ["127.0.0.1"])
    assert connected(names, monkeypatch) == (
        [(PUBLIC, 443)],
        "The address cannot be connected to.",
    )
    assert names.asked == ["host"]


def test_and_is_refused_if_it_has_them_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert connected(Names(["127.0.0.1"], [PUBLIC]), monkeypatch) == ([], NOT_PUBLIC)


@pytest.mark.parametrize(
    "private", ["127.0.0.1", "10.0.0.1", "::1", "fe80::1%2", "169.254.169.254"]
)
def test_a_name_with_a_public_and_a_private_address_is_refused(
    private: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for addresses in ([PUBLIC, private], [private, PUBLIC]):
        assert connected(Names(addresses), monkeypatch) == ([], NOT_PUBLIC)


def test_each_public_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried, _ = connected(Names([PUBLIC, "8.8.8.8", "2606:4700:4700::1111", PUBLIC]), monkeypatch)
    assert set(tried) == {(PUBLIC, 443), ("8.8.8.8", 443), ("2606:4700:4700::1111", 443)}


def test_the_server_at_the_checked_address_answers_and_no_other() -> None:
    elsewhere = 0

    async def other(_request: web.Request) -> web.Response:
        nonlocal elsewhere
        elsewhere += 1
        return web.Response(body=b"secret", content_type="image/png")

    async def scenario() -> list[bytes | str]:
        names = Names(["127.0.0.2"], ["127.0.0.1"])
        async with (
            serving({"/": other}) as url,
            serving({"/": answering(PNG)}, host="127.0.0.2", port=url.port),
        ):
            rules = Rules("http", [AllowedHost.parse(f"127.0.0.2:{url.port}")])
            host = str(url.with_host("host"))
            return [await visit(host, Fetcher(rules, lookup=names)) for _ in range(2)]

    assert asyncio.run(scenario()) == [PNG, NOT_PUBLIC]
    assert elsewhere == 0


def test_a_name_is_resolved_anew_for_each_redirect() -> None:
    async def scenario() -> bytes | str:
        names = Names(["127.0.0.1"], ["127.0.0.2"])
        routes = {"/": leading_to("/secret"), "/secret": answering(b"secret")}
        async with serving(routes) as url, serving(routes, host="127.0.0.2", port=url.port):
            return await visit(str(url.with_host("host")), Fetcher(allowing(url), lookup=names))

    assert asyncio.run(scenario()) == NOT_PUBLIC.replace("address", "address that it leads to")


def test_a_host_that_is_allowed_may_be_private_and_no_metadata_service() -> None:
    rules = Rules("on", [AllowedHost.parse("host")])
    assert resolved("10.0.0.1", "::1", rules=rules) == ["10.0.0.1", "::1"]
    for never in ("169.254.169.254", "0.0.0.0", "fd00:ec2::254"):
        with pytest.raises(NotPublicError):
            resolved("10.0.0.1", never, rules=rules)


@pytest.mark.parametrize("addresses", [[], ["nonsense"], ["1.2.3"], ["8.8.8.8", ""]])
def test_what_is_no_address_is_refused(addresses: list[str]) -> None:
    with pytest.raises(NotPublicError):
        resolved(*addresses)


def test_another_port_is_refused() -> None:
    assert resolved(PUBLIC) == [PUBLIC]
    with pytest.raises(NotPublicError):
        resolved(PUBLIC, port=8443)


def test_the_system_is_asked_in_threads() -> None:
    async def scenario() -> None:
        lookup = SystemLookup(1)
        try:
            assert set(await lookup("localhost")) <= {"127.0.0.1", "::1"}
            with pytest.raises(socket.gaierror):
                await lookup("nowhere.invalid")
        finally:
            lookup.close()

    asyncio.run(scenario())


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return certificates; the server's is valid for 127.0.0.1 and for no name."""
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.make()
    return made


def visited_over_tls(certificates: Certificates, host: str, authority: Path | None) -> bytes | str:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificates.server)
    trusting = ssl.create_default_context(cafile=authority) if authority else None

    async def scenario() -> bytes | str:
        async with serving({"/": answering(PNG)}, tls=server) as url:
            fetcher = Fetcher(allowing(url), lookup=Names(["127.0.0.1"]), tls=trusting)
            return await visit(str(url.with_host(host)), fetcher)

    return asyncio.run(scenario())


def test_a_server_with_a_certificate_is_asked(certificates: Certificates) -> None:
    assert visited_over_tls(certificates, "127.0.0.1", certificates.authority) == PNG


@pytest.mark.parametrize(("host", "trusted"), [("pictures.example", True), ("127.0.0.1", False)])
def test_one_whose_certificate_is_another_hosts_or_nobodys_is_not(
    certificates: Certificates, host: str, trusted: bool
) -> None:
    said = visited_over_tls(certificates, host, certificates.authority if trusted else None)
    assert said == "The address has no valid certificate for its host."
