"""Tests of the web server with requests that no browser sends."""

import asyncio
import time

import pytest
import requests

from catdog_stream.testing.worker import Worker
from catdog_stream.web.server import REQUEST_SECONDS

pytestmark = pytest.mark.integration

#: Seconds of tolerance for a timer on a busy machine.
SLACK = 5.0


def ask(worker: Worker, path: str, host: str) -> requests.Response:
    """Request ``path`` with ``host`` as the name of the host."""
    url = f"http://127.0.0.1:{worker.port}{path}"
    return requests.get(url, headers={"Host": host}, timeout=10)


async def say(worker: Worker, text: bytes) -> bytes:
    """Return the server's response to ``text``, read until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", worker.port)
    writer.write(text)
    try:
        return await asyncio.wait_for(reader.read(), REQUEST_SECONDS + SLACK)
    finally:
        writer.close()


def test_a_page_that_has_its_own_name_resolve_to_the_worker_reads_nothing(worker: Worker) -> None:
    for path in ("/", "/labels/", "/shards/", "/nothing-here"):
        assert ask(worker, path, "evil.example.org").status_code == 421
    assert ask(worker, "/labels/", f"localhost:{worker.port}").status_code == 200


def test_probes_and_prometheus_may_use_any_address(worker: Worker) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert ask(worker, path, "10.20.30.40:6066").status_code == 200


def test_browsers_load_and_frame_nothing(worker: Worker) -> None:
    for path in ("/", "/labels/", "/metrics", "/nothing-here"):
        for host in ("localhost", "evil.example.org"):
            headers = ask(worker, path, host).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_what_is_not_http_leaves_no_traceback(worker: Worker) -> None:
    async def scenario() -> None:
        host = b"Host: localhost\r\n"
        for text in (
            b"GET / HTTP/1.1\r\n: no name\r\n\r\n",
            b"GET / HTTP/9.9.9\r\n" + host + b"\r\n",
            b"POST / HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nnot a size\r\n",
            b"GET / HTTP/1.1\r\n" + host + b"Content-Length: many\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ):
            assert b"nosniff" in await say(worker, text)

    asyncio.run(scenario())
    assert "Traceback" not in worker.log.read_text()


@pytest.mark.long
def test_requests_that_never_become_whole_are_dropped(worker: Worker) -> None:
    half = (
        b"",
        b"GET / HTTP/1.1\r\nHost: local",
        b"POST /labels/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nsome of it",
    )

    async def scenario() -> None:
        await asyncio.gather(*(say(worker, text) for text in half))

    began = time.monotonic()
    asyncio.run(scenario())
    assert time.monotonic() - began < REQUEST_SECONDS + SLACK
