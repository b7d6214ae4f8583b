"""Tests of hostile and broken web servers: each kind ends with its own error message."""

import asyncio
import gzip
import zlib
from collections.abc import Callable

import pytest
from aiohttp import web

from catdog_stream import __version__
from catdog_stream.fetching import fetcher as fetching
from catdog_stream.fetching.fetcher import MAX_BYTES, Fetcher
from catdog_stream.fetching.rules import Rules
from catdog_stream.settings.allowed_hosts import AllowedHost
from tests.fetching.serving import (
    PNG,
    Handler,
    allowing,
    answering,
    leading_to,
    said,
    sending,
    serving,
    visit,
    visited,
)

NOT_PUBLIC = "The address is not on the public internet, or there is no such host."
LED_NOT_PUBLIC = (
    "The address that it leads to is not on the public internet, or there is no such host."
)
BROKE_OFF = "The address broke off, or does not answer as web servers do."


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a time limit that is short enough for a test."""
    monkeypatch.setattr(fetching, "SECONDS", 0.3)


class TestPictures:
    @pytest.mark.parametrize(
        "kind",
        ["image/png", "Image/PNG; a=b", "image/x-odd", "application/octet-stream", ""],
    )
    def test_a_picture_comes_as_it_is(self, kind: str) -> None:
        assert visited(answering(PNG, kind)) == PNG

    def test_the_largest(self) -> None:
        assert visited(answering(b"x" * MAX_BYTES)) == b"x" * MAX_BYTES

    @pytest.mark.parametrize(
        ("name", "pack"),
        [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("Deflate", zlib.compress)],
    )
    def test_one_that_is_packed_though_nobody_asked_for_it(
        self, name: str, pack: Callable[[bytes], bytes]
    ) -> None:
        assert visited(answering(pack(PNG), Content_Encoding=name)) == PNG

    def test_nothing_is_told_but_who_asks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        seen = []

        async def handler(request: web.Request) -> web.Response:
            seen.append(dict(request.headers))
            headers = {"Set-Cookie": "a=b", "Location": "/?again"}
            if "again" in request.query:
                return web.Response(body=PNG, content_type="image/png")
            return web.Response(status=302, headers=headers)

        assert visited(handler) == PNG
        assert len(seen) == 2
        for headers in seen:
            assert headers.pop("Connection", "close") == "close"
            assert set(headers) == {"Host", "Accept", "Accept-Encoding", "User-Agent"}
            assert headers["Accept-Encoding"] == "identity"
            assert headers["User-Agent"] == f"catdog_stream/{__version__}"

    def test_what_a_signature_covers_is_asked_for_to_the_letter(self) -> None:
        seen = []

        async def handler(request: web.Request) -> web.Response:
            seen.append(request.raw_path)
            return web.Response(body=PNG, content_type="image/png")

        assert visited({"/{any:.*}": handler}, "/a%2Fb?c=%2F%2b+d&e") == PNG
        assert seen == ["/a%2Fb?c=%2F%2b+d&e"]


class TestNoPicture:
    @pytest.mark.parametrize(
        ("handler", "sentence"),
        [
            (answering(b"hello", "text/html"), "The address gave text/html, not a picture."),
            (
                answering(b"hello", "Text/Plain; charset=utf-8"),
                "The address gave text/plain, not a picture.",
            ),
            (
                answering(b"{}", "application/json"),
                "The address gave application/json, not a picture.",
            ),
            (answering(b"", "<b>"), "The address gave something else, not a picture."),
            (answering(b"", "a/" + "b" * 99), "The address gave something else, not a picture."),
            (answering(b""), "The address gave an empty file."),
            (
                answering(PNG, status=404),
                "The address gave status 404 (Not Found), and no picture.",
            ),
            (
                answering(PNG, status=500),
                "The address gave status 500 (Internal Server Error), and no picture.",
            ),
            (answering(PNG, status=299), "The address gave status 299, and no picture."),
            (
                answering(b"", status=204),
                "The address gave status 204 (No Content), and no picture.",
            ),
            (
                answering(PNG, Content_Encoding="br"),
                "The address gave a picture that is packed in a way that is not read.",
            ),
            (answering(PNG, Content_Encoding="gzip"), "The address gave a damaged file."),
        ],
    )
    def test_each_has_its_sentence(self, handler: Handler, sentence: str) -> None:
        assert visited(handler) == sentence

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"\0" * 1000,
            b"SSH-2.0-OpenSSH\r\n",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 9999 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9" + b"9" * 5000 + b"\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            b"HTTP/1.1 200 OK\r\nA: " + b"a" * 100_000 + b"\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"A: a\r\n" * 100_000 + b"\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
        ],
    )
    def test_what_is_not_http(self, answer: bytes) -> None:
        async def scenario() -> bytes | str:
            async with sending(answer) as url:
                return await visit(str(url), Fetcher(allowing(url)))

        assert asyncio.run(scenario()) == BROKE_OFF

    def test_nobody_is_there(self) -> None:
        async def scenario() -> bytes | str:
            async with sending(b"") as url:
                pass
            return await visit(str(url), Fetcher(allowing(url)))

        assert asyncio.run(scenario()) == "The address cannot be connected to."

    def test_what_speaks_no_tls(self) -> None:
        async def scenario() -> bytes | str:
            async with sending(b"220 hello\r\n") as url:
                return await visit(str(url.with_scheme("https")), Fetcher(allowing(url)))

        assert asyncio.run(scenario()) == "The address cannot be reached over TLS."


class TestTooMuch:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fetching, "MAX_BYTES", 100_000)

    SENTENCE = "The address gave a file of more than 100000 bytes."

    def test_an_answer_without_end(self) -> None:
        sent = 0

        async def handler(request: web.Request) -> web.StreamResponse:
            nonlocal sent
            response = web.StreamResponse(headers={"Content-Type": "image/png"})
            await response.prepare(request)
            while True:
                await response.write(b"x" * 10_000)
                sent += 10_000

        assert visited(handler) == self.SENTENCE
        assert sent < 50 * 100_000  # no buffer holds more than that

    def test_one_that_says_beforehand_how_large_it_is(self) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            headers = {"Content-Type": "image/png", "Content-Length": str(10**15)}
            response = web.StreamResponse(headers=headers)
            await response.prepare(request)
            await asyncio.Event().wait()  # no byte of it needs to arrive
            return response

        assert visited(handler) == self.SENTENCE

    @pytest.mark.parametrize("size", [100_001, 50_000_000])
    def test_a_few_bytes_that_unpack_to_many(self, size: int) -> None:
        bomb = gzip.compress(bytes(size))
        assert len(bomb) < 100_000
        assert visited(answering(bomb, Content_Encoding="gzip")) == self.SENTENCE

    def test_many_bytes_that_unpack_to_none(self) -> None:
        member = gzip.compress(PNG)
        body = member + bytes(200_000)
        assert visited(answering(body, Content_Encoding="gzip")) == self.SENTENCE


class TestTooLong:
    SENTENCE = "The address took longer than 0.3 seconds."

    def test_a_body_that_drips(self, hurry: None) -> None:  # noqa: ARG002
        async def handler(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "image/png"})
            await response.prepare(request)
            while True:
                await response.write(b"x")
                await asyncio.sleep(0.01)

        assert visited(handler) == self.SENTENCE

    def test_redirects_that_drip(self, hurry: None) -> None:  # noqa: ARG002
        async def handler(_request: web.Request) -> web.StreamResponse:
            await asyncio.sleep(0.1)
            return web.Response(status=302, headers={"Location": "/"})

        assert visited(handler) == self.SENTENCE

    def test_no_answer(self, hurry: None) -> None:  # noqa: ARG002
        async def handler(_request: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError

        assert visited(handler) == self.SENTENCE

    def test_no_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fetching, "CONNECT_SECONDS", 0.1)

        async def lookup(_host: str) -> list[str]:
            await asyncio.Event().wait()
            raise AssertionError

        text = "https://example.org/"
        gone = asyncio.run(visit(text, Fetcher(Rules("on"), lookup=lookup)))
        assert gone == "The address does not answer."

    def test_no_room_among_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fetching, "WAIT_SECONDS", 0.1)

        async def scenario() -> None:
            asked, answer = asyncio.Event(), asyncio.Event()
            waiting = 0

            async def handler(_request: web.Request) -> web.Response:
                nonlocal waiting
                waiting += 1
                if waiting == fetching.AT_A_TIME:
                    asked.set()
                await answer.wait()
                return web.Response(body=PNG, content_type="image/png")

            async with serving({"/": handler}) as url:
                fetcher = Fetcher(allowing(url))
                others = [
                    asyncio.create_task(fetcher.fetch(url)) for _ in range(fetching.AT_A_TIME)
                ]
                await asyncio.wait_for(asked.wait(), 10)
                refused = await said(str(url), fetcher)
                assert refused == "Too many pictures are being fetched; try again later."
                assert waiting == fetching.AT_A_TIME
                answer.set()
                assert await asyncio.gather(*others) == [PNG] * fetching.AT_A_TIME
                assert await visit(str(url), fetcher) == PNG

        asyncio.run(scenario())


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_some_are_followed(self, status: int) -> None:
        routes = {
            "/": leading_to("/1", status),
            "/1": leading_to("2", status),
            "/2": leading_to("./3?x", status),
            "/3": leading_to("4", status),
            "/4": leading_to("5", status),
            "/5": answering(PNG),
        }
        assert visited(routes) == PNG

    @pytest.mark.parametrize("location", ["/", "/?again", "#x"])
    def test_not_without_end(self, location: str) -> None:
        asked = 0

        async def handler(_request: web.Request) -> web.Response:
            nonlocal asked
            asked += 1
            return web.Response(status=302, headers={"Location": location})

        assert visited(handler) == "The address leads on more than 5 times."
        assert asked == 6

    @pytest.mark.parametrize(
        ("location", "sentence"),
        [
            ("", "The address leads on, and does not say where to."),
            (
                "file:///etc/passwd",
                "The address that it leads to must begin with https:// or http://.",
            ),
            ("ftp://8.8.8.8/", "The address that it leads to must begin with https:// or http://."),
            ("http://127.0.0.2/", LED_NOT_PUBLIC),
            ("//0x7f.1/", LED_NOT_PUBLIC),
            ("http://127.0.0.1/", LED_NOT_PUBLIC),
            ("http://10.0.0.1/", LED_NOT_PUBLIC),
            ("http://169.254.169.254/latest/meta-data/", LED_NOT_PUBLIC),
            ("http://[::ffff:a9fe:a9fe]/", LED_NOT_PUBLIC),
            ("http://localhost/", LED_NOT_PUBLIC),
            ("http://nowhere.invalid/", LED_NOT_PUBLIC),
            (
                "http://127.0.0.1:22/",
                "The address that it leads to must be on the usual port of its scheme, not on 22.",
            ),
            ("http://[", "The address that it leads to cannot be read."),
            ("//[]@", "The address that it leads to cannot be read."),
            ("/" + "a" * 5000, "The address that it leads to has more than 4096 characters."),
            (
                "http://me:pw@8.8.8.8/",
                "The address that it leads to must not hold a user name or a password.",
            ),
        ],
    )
    def test_each_is_checked_as_the_first(self, location: str, sentence: str) -> None:
        async def scenario() -> bytes | str:
            answer = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n"
            async with sending(answer.encode()) as url:
                return await visit(str(url), Fetcher(allowing(url), lookup=_hosts))

        assert asyncio.run(scenario()) == sentence

    def test_what_comes_with_one_is_not_read(self) -> None:
        routes = {
            "/": answering(b"x" * 10_000_000, status=302, Location="/1"),
            "/1": answering(PNG),
        }
        assert visited(routes) == PNG


def test_without_the_allow_list_this_machine_is_not_asked() -> None:
    asked = False

    async def handler(_request: web.Request) -> web.Response:
        nonlocal asked
        asked = True
        return web.Response(body=PNG)

    async def scenario(host: str) -> bytes | str:
        async with serving({"/": handler}) as url:
            # The port is allowed, but at another address.
            rules = Rules("http", [AllowedHost.parse(f"127.0.0.9:{url.port}")])
            return await visit(str(url.with_host(host)), Fetcher(rules))

    for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::ffff:127.0.0.1"):
        assert asyncio.run(scenario(host)) == NOT_PUBLIC
    assert not asked


def test_what_is_being_fetched_is_broken_off_at_the_end() -> None:
    async def scenario() -> None:
        asked = asyncio.Event()

        async def handler(_request: web.Request) -> web.Response:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

        async with serving({"/": handler}) as url:
            fetcher = Fetcher(allowing(url))
            visiting = asyncio.create_task(said(str(url), fetcher))
            await asyncio.wait_for(asked.wait(), 10)
            await fetcher.close()
            assert await asyncio.wait_for(visiting, 5) == BROKE_OFF
            assert await visit(str(url), fetcher) == "This worker is stopping."

    asyncio.run(scenario())


async def _hosts(host: str) -> list[str]:
    if host == "localhost":
        return ["127.0.0.1", "::1"]
    raise OSError(host)
