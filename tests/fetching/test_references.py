"""Tests of pictures that are fetched by reference: from folders, S3 and web servers."""

import asyncio
import os
import ssl
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from catdog_stream.errors import RejectedRequest, SettingError
from catdog_stream.fetching import references as module
from catdog_stream.fetching.references import References
from catdog_stream.settings.allowed_references import AllowedReferences
from tests.fetching.serving import PNG, Handler, answering, leading_to, serving
from tests.fetching.stores import S3, environment, in_environment, s3
from tests.support.secured import HOST, Certificates

MOST = 1000


@pytest.fixture(autouse=True)
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses and the limit of time."""
    monkeypatch.setattr(module, "PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setattr(module, "SECONDS", 1.0)


def references(allowed: str, tls: ssl.SSLContext | None = None) -> References:
    return References(AllowedReferences.parse(allowed), max_bytes=MOST, budget=4 * MOST, tls=tls)


async def fetched(client: References, reference: str, partition: int = 0) -> bytes | str:
    """Return the picture, or the reason of the rejection."""
    try:
        found = await client.fetch(reference, partition)
    except RejectedRequest as error:
        return str(error.reason)
    found.release()
    return found.picture


def visited(allowed: str, *names: str) -> list[bytes | str]:
    async def scenario() -> list[bytes | str]:
        client = references(allowed)
        try:
            return [await fetched(client, name) for name in names]
        finally:
            assert client.held == 0
            await client.close()

    return asyncio.run(scenario())


class TestFiles:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "allowed"
        (folder / "below").mkdir(parents=True)
        (folder / "below" / "a b.png").write_bytes(PNG)
        (folder / "large").write_bytes(b"x" * (MOST + 1))
        (folder / "empty").touch()
        (tmp_path / "secret").write_bytes(b"secret")
        (folder / "link").symlink_to(tmp_path / "secret")
        (folder / "outside").symlink_to(tmp_path)
        (folder / "loop").symlink_to("loop")
        os.mkfifo(folder / "pipe")
        return folder

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("below/a%20b.png", PNG),
            ("outside/allowed/below/a%20b.png", PNG),
            ("nothing", "reference_not_found"),
            ("large", "too_large"),
            ("empty", "reference_failed"),
            ("link", "reference_not_allowed"),
            ("outside/secret", "reference_not_allowed"),
            ("../secret", "reference_not_allowed"),
            ("%2e%2e/secret", "reference_not_allowed"),
            ("../allowed-not/a", "reference_not_allowed"),
            ("a%00b", "bad_reference"),
            ("pipe", "bad_reference"),
            ("below", "reference_failed"),
            ("loop", "reference_failed"),
            ("x" * 3000, "reference_failed"),
            ("x" * 5000, "bad_reference"),
        ],
    )
    def test_only_regular_files_below_the_folder(
        self, folder: Path, name: str, expected: bytes | str
    ) -> None:
        assert visited(f"file://{folder}", f"file://{folder}/{name}") == [expected]

    def test_a_folder_that_becomes_a_link_after_the_check_leads_nowhere(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outside = folder.parent / "outside"
        outside.mkdir()
        (outside / "a b.png").write_bytes(b"secret")
        resolve = os.path.realpath

        def replaced(path: Path) -> str:
            found = resolve(path)
            (folder / "below").rename(folder / "away")
            (folder / "below").symlink_to(outside)
            return found

        async def scenario() -> None:
            client = references(f"file://{folder}")
            monkeypatch.setattr(os.path, "realpath", replaced)
            name = f"file://{folder}/below/a%20b.png"
            assert await fetched(client, name) == "reference_failed"
            await client.close()

        asyncio.run(scenario())

    def test_other_schemes_and_devices(self, folder: Path) -> None:
        names = ("file:///dev/zero", "https://127.0.0.1/", "s3://a/b", "http://a/", "a", "file:a")
        assert visited(f"file://{folder}", *names) == ["reference_not_allowed"] * len(names)


@pytest.fixture(scope="module")
def store() -> Iterator[S3]:
    with s3() as server:
        keys = ("cats/a.png", "cats/ü %20#?.png", "dogs/b.png")
        server.put("pictures", dict.fromkeys(keys, PNG))
        server.put("other", {"a.png": PNG, "large": b"x" * (MOST + 1), "empty": b""})
        server.put("beside", {"cats": PNG})
        yield server


class TestS3:
    @pytest.mark.parametrize(
        ("reference", "expected"),
        [
            ("s3://pictures/cats/a.png", PNG),
            ("s3://pictures/cats/ü %20#?.png", PNG),
            ("s3://other/a.png", PNG),
            ("s3://pictures/cats/c.png", "reference_not_found"),
            ("s3://nowhere/a.png", "reference_not_found"),
            ("s3://other/large", "too_large"),
            ("s3://pictures/dogs/b.png", "reference_not_allowed"),
            ("s3://pictures/cats/../dogs/b.png", "bad_reference"),
            ("s3://pictures/cats//a.png", "bad_reference"),
            ("s3://other/", "bad_reference"),
            ("s3://other/empty", "reference_failed"),
            ("s3://other/" + "x" * 5000, "bad_reference"),
            ("s3://other/" + "x" * 1_000_000, "bad_reference"),
            ("s3://beside/cats/", "bad_reference"),
            ("s3://unlisted/a.png", "reference_not_allowed"),
            ("gs://other/a.png", "reference_not_allowed"),
        ],
    )
    def test_objects_of_the_allowed_buckets(
        self, store: S3, reference: str, expected: bytes | str
    ) -> None:
        allowed = "s3://pictures/cats, s3://beside/cats, s3://other, s3://nowhere"
        with in_environment(environment(store.address)):
            assert visited(allowed, reference) == [expected]

    def test_a_store_without_its_account_is_a_sentence(self) -> None:
        with pytest.raises(SettingError, match="az://container cannot be opened"):
            references("az://container")

    @staticmethod
    def hostile(handler: Handler) -> bytes | str:
        """Return the result of a request to a store with this handler."""

        async def scenario() -> bytes | str:
            async with serving({"/pictures/a.png": handler, "/": answering(PNG)}) as url:
                with in_environment(environment(str(url.origin()))):
                    client = references("s3://pictures")
                try:
                    return await fetched(client, "s3://pictures/a.png")
                finally:
                    assert client.held == 0
                    await client.close()

        return asyncio.run(scenario())

    def test_a_store_that_denies_fails_or_sends_garbage(self) -> None:
        assert self.hostile(answering(b"", status=403)) == "reference_denied"
        assert self.hostile(answering(b"", status=401)) == "reference_denied"
        assert self.hostile(answering(b"secret", status=500)) == "reference_failed"
        assert self.hostile(leading_to("ftp://elsewhere/")) == "reference_failed"

    def test_a_store_that_recovers_is_asked_again(self) -> None:
        asked = 0

        async def handler(_request: web.Request) -> web.StreamResponse:
            nonlocal asked
            asked += 1
            headers = {"Last-Modified": "Sun, 29 Nov 2026 00:00:00 GMT", "ETag": '"1"'}
            if asked < 4:
                return web.Response(status=503)
            return web.Response(body=PNG, headers=headers)

        assert self.hostile(handler) == PNG
        assert asked == 4

    def test_a_store_that_never_ends_or_drips(self) -> None:
        async def endless(request: web.Request) -> web.StreamResponse:
            headers = {"Last-Modified": "Sun, 29 Nov 2026 00:00:00 GMT", "ETag": '"1"'}
            response = web.StreamResponse(headers=headers)
            await response.prepare(request)
            while True:
                await response.write(b"x" * 10_000)

        async def dripping(request: web.Request) -> web.StreamResponse:
            headers = {
                "Last-Modified": "Sun, 29 Nov 2026 00:00:00 GMT",
                "ETag": '"1"',
                "Content-Length": "900",
            }
            response = web.StreamResponse(headers=headers)
            await response.prepare(request)
            while True:
                await response.write(b"x")
                await asyncio.sleep(0.1)

        assert self.hostile(endless) == "reference_failed"  # it does not state its length
        assert self.hostile(dripping) == "reference_timeout"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.make()
    return made


class TestHttps:
    @pytest.fixture(autouse=True)
    def _contexts(self, certificates: Certificates) -> None:
        self.server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.server.load_cert_chain(certificates.server)
        self.client = ssl.create_default_context(cafile=str(certificates.authority))

    def play(
        self, handler: Handler, scenario: Callable[[References, str], Coroutine[Any, Any, Any]]
    ) -> Any:
        """Run a scenario with a client and the address of a server with this page."""

        async def run() -> Any:
            async with serving({"/a": handler}, tls=self.server) as url:
                client = references(f"https://{HOST}:{url.port}", self.client)
                try:
                    return await scenario(client, f"https://{HOST}:{url.port}/a")
                finally:
                    assert client.held == 0
                    await client.close()

        return asyncio.run(run())

    def visited(self, handler: Handler) -> bytes | str:
        return self.play(handler, fetched)  # type: ignore[no-any-return]

    def test_pictures_and_refusals(self) -> None:
        assert self.visited(answering(PNG)) == PNG
        assert self.visited(answering(PNG, status=404)) == "reference_not_found"
        assert self.visited(answering(PNG, status=403)) == "reference_denied"
        assert self.visited(answering(PNG, status=503)) == "reference_failed"
        assert self.visited(answering(b"<html>", "text/html")) == "reference_failed"
        assert self.visited(answering(b"")) == "reference_failed"
        assert self.visited(answering(b"x" * (MOST + 1))) == "too_large"

    def test_a_redirect_leads_only_where_a_reference_may_point_to(self) -> None:
        for target in (
            "https://127.0.0.1/",
            "https://169.254.169.254/latest/",
            "https://localhost/",
            "file:///etc/passwd",
            "http://127.0.0.1/",
        ):
            assert self.visited(leading_to(target)) == "reference_not_allowed", target
        assert self.visited(leading_to("/a")) == "reference_failed"

    def test_a_private_address_must_be_listed_even_if_every_public_one_is_allowed(self) -> None:
        names = ("https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://0x7f000001/")
        assert visited("https://*", *names) == ["reference_not_allowed"] * 4
        name = "https://169.254.169.254/"
        assert visited("https://169.254.0.0/16", name) == ["reference_not_allowed"]

    def test_an_unlisted_name_is_not_even_looked_up(self) -> None:
        assert visited("https://a.example", "https://b.example/") == ["reference_not_allowed"]

    def test_an_endless_answer_and_a_slow_one(self) -> None:
        async def endless(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "image/png"})
            await response.prepare(request)
            while True:
                await response.write(b"x" * 10_000)

        async def slow(_request: web.Request) -> web.StreamResponse:
            await asyncio.sleep(30)
            return web.Response(body=PNG)

        assert self.visited(endless) == "too_large"
        began = time.monotonic()
        assert self.visited(slow) == "reference_timeout"
        assert time.monotonic() - began < 10

    def test_a_failure_that_passes_is_tried_again(self) -> None:
        asked = 0

        async def handler(_request: web.Request) -> web.StreamResponse:
            nonlocal asked
            asked += 1
            return web.Response(
                body=PNG, content_type="image/png", status=200 if asked > 3 else 503
            )

        assert self.visited(handler) == PNG
        assert asked == 4

    def test_one_partition_that_waits_for_a_slow_server_holds_up_no_other(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "SECONDS", 30.0)
        go_on = asyncio.Event()
        waiting = 0

        async def handler(request: web.Request) -> web.StreamResponse:
            nonlocal waiting
            if "slow" in request.query:
                waiting += 1
                await go_on.wait()
            return web.Response(body=PNG, content_type="image/png")

        async def scenario(client: References, address: str) -> None:
            slow = [asyncio.create_task(fetched(client, f"{address}?slow")) for _ in range(200)]
            while waiting < 32:
                await asyncio.sleep(0.01)
            assert await fetched(client, address, partition=1) == PNG
            assert waiting == 32
            go_on.set()
            assert await asyncio.gather(*slow) == [PNG] * 200

        self.play(handler, scenario)

    def test_pictures_that_are_not_classified_yet_limit_the_bytes_of_further_ones(self) -> None:
        picture = b"x" * 900

        async def scenario(client: References, address: str) -> None:
            held = [await client.fetch(address, 0) for _ in range(2)]
            third = asyncio.create_task(client.fetch(address, 0))
            other = await client.fetch(address, 1)
            await asyncio.sleep(1.5)  # longer than a fetch may take: the wait does not count
            assert not third.done()
            assert client.held == 2700
            for each in (*held, other):
                each.release()
            (await third).release()

        self.play(answering(picture), scenario)
