"""Test of a worker with a low limit of open files and many open pages: it continues to work."""

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from catdog_stream.testing.worker import Worker
from tests.support.client import Client, Message, request
from tests.support.pictures import LOOKING

pytestmark = [pytest.mark.integration, pytest.mark.long]

FILES = 300
PAGES = 300


@pytest.fixture
def worker(broker_address: str, tmp_path: Path) -> Iterator[Worker]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    it = Worker(broker_address, tmp_path, module=LOOKING)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
    try:
        it.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with ExitStack() as stack:
        stack.push(it.__exit__)
        yield it.wait_ready()


def test_three_hundred_open_pages(worker: Worker, broker_address: str, cat: bytes) -> None:
    async def labelled() -> None:
        async with Client(broker_address) as client:
            sources = await client.send([Message(request(cat), partition=n) for n in range(8)])
            await client.answers(sources)
            assert client.labels.keys() >= set(sources)

    with ExitStack() as pages:
        for _ in range(PAGES):
            page = pages.enter_context(socket.create_connection(("127.0.0.1", worker.port), 10))
            page.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert worker.status("/healthz") == 200
        for _ in range(50):
            assert worker.status("/healthz") == 200
        asyncio.run(labelled())
    assert "Too many open files" not in worker.log.read_text()
