"""Tests of many large pictures at once: a worker stays below the memory of ``docs/scaling.md``."""

import asyncio
import base64
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import requests

from catdog_stream.kafka.cluster import create_topics
from catdog_stream.memory import MemoryPlan
from catdog_stream.settings import Settings
from catdog_stream.testing import Worker, wait_until
from tests.support.client import Client
from tests.support.png_files import chunk, png

pytestmark = [pytest.mark.integration, pytest.mark.long]

HOLDING = "tests.support.holding_worker"
BACKLOG, POSTED, CLIENTS = 100, 190, 8
#: Bytes that a worker may keep after the load: pools of its libraries.
KEPT = 100 << 20


def large() -> bytes:
    """Return a picture of almost 4 MB that is quick to decode: most of it is a comment."""
    picture = np.zeros((300, 300, 3), np.uint8)
    picture[..., 0] = 250
    return png(picture, 8, 2, [(b"teXt", bytes(3_900_000))])


def worst() -> bytes:
    """Return a PNG of 25 megapixels, 16-bit RGB with a transparent color."""
    import struct
    import zlib

    side, packer = 5000, zlib.compressobj(1)
    row = b"\0" + bytes(3000) + b"\x12\x34" * (3 * side - 1500)
    pixels = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    header = struct.pack(">IIBBBBB", side, side, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"tRNS", bytes(6)), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def request(picture: bytes) -> bytes:
    return b'{"url":"u","data":"%b"}' % base64.b64encode(picture)


def resident(worker: Worker) -> int:
    """Return the resident memory of the process, in bytes."""
    for line in Path(f"/proc/{worker.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the worker has ended")


@contextmanager
def sampled(worker: Worker) -> Iterator[list[int]]:
    """Collect samples of the resident memory while the block runs."""
    samples, done = [resident(worker)], threading.Event()

    def sample() -> None:
        while not done.wait(0.05):
            samples.append(resident(worker))

    with ThreadPoolExecutor(1) as threads:
        sampling = threads.submit(sample)
        try:
            yield samples
        finally:
            done.set()
            sampling.result()


def is_steady(samples: list[int]) -> bool:
    """Return True if the memory has not grown for a second."""
    latest = samples[-20:]
    return len(samples) > 40 and max(latest) - min(latest) < 4 << 20


def test_large_pictures_leave_a_worker_within_its_budget(
    broker_address: str, tmp_path: Path
) -> None:
    settings = Settings(broker=f"kafka://{broker_address}")
    gate, picture = tmp_path / "gate", large()
    environment = {"CATDOG_WEB_RATE": "0", "CATDOG_TEST_GATE": str(gate)}

    async def scenario() -> None:
        await create_topics(settings.cluster)
        async with Client(broker_address) as client:
            requests_ = [request(worst())] * 4 + [request(picture)] * (BACKLOG - 4)
            sources = await client.send(requests_)
            with Worker(broker_address, tmp_path, module=HOLDING, settings=environment) as worker:
                await asyncio.to_thread(run, worker)
                await client.answers(sources)
                assert not client.rejected

    def run(worker: Worker) -> None:
        wait_until(lambda: worker.status("/healthz") == 200, "the worker to start", 60)
        idle = resident(worker)
        limit = idle + MemoryPlan.of(settings).total
        with sampled(worker) as samples:
            worker.wait_ready()
            wait_until(lambda: is_steady(samples), "the buffers to be full", 60)
            held = max(samples)
            gate.touch()
            wait_until(lambda: answered(worker) >= BACKLOG, "the backlog to be answered", 90)
            post_all(worker)
            wait_until(lambda: answered(worker) >= BACKLOG + POSTED, "all answers", 90)
            peak = max(samples)
            sizes = f"MiB idle, held, peak, limit: {[n >> 20 for n in (idle, held, peak, limit)]}"
            print(sizes)
            wait_until(lambda: resident(worker) < idle + KEPT, f"memory returned; {sizes}", 15)
            print("MiB at the end:", resident(worker) >> 20)
        assert peak < limit

    def answered(worker: Worker) -> int:
        return int(worker.get("/labels/")["total"])

    def post_all(worker: Worker) -> None:
        def post(_: int) -> int:
            address = f"http://127.0.0.1:{worker.port}/images/"
            headers = {"Content-Type": "image/png"}
            return requests.post(address, data=picture, headers=headers, timeout=60).status_code

        with ThreadPoolExecutor(CLIENTS) as threads:
            assert set(threads.map(post, range(POSTED))) == {202}

    asyncio.run(scenario())
