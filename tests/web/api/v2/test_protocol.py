"""Tests of concurrent requests to ``infer``: the limit of pictures holds, and none is kept."""

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web

from catdog_stream.fetching.by_address import PicturesByAddress
from catdog_stream.fetching.rules import Rules
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.settings import Settings
from catdog_stream.web.api.body import Intake
from catdog_stream.web.api.guards.rates import Rates
from catdog_stream.web.api.images import Images
from catdog_stream.web.api.stream import Stream
from catdog_stream.web.api.v2.protocol import Protocol
from catdog_stream.web.api.v2.serving import Model
from tests.web.api.kafkas import Kafka
from tests.web.api.serving_apps import Client, play

INFER = "/v2/models/catdog/infer"
MEGABYTE = 1 << 20


async def _none() -> list[str]:
    return []


def told(scenario: Callable[[Client], Awaitable[None]], rate: float = 0) -> None:
    """Run a scenario with a client of both ways to send pictures."""

    async def run(client: Client) -> None:
        try:
            await scenario(client)
        finally:
            stream.close()

    stream = Stream(Settings().cluster, Settings().request_parser)
    intake, rates = Intake(1 << 30), Rates(rate, lambda: 0.0)
    images = Images(
        stream,
        intake,
        rates,
        PicturesByAddress(Rules("off", ()), PictureLimits()),
        max_image_bytes=4 * MEGABYTE,
    )
    protocol = Protocol(
        stream,
        intake,
        rates,
        model=lambda: Model("net", "1", ("cat", "dog")),
        alive=list,
        ready=_none,
        max_image_bytes=4 * MEGABYTE,
        max_body_bytes=22 * MEGABYTE,
    )
    routes = [
        web.post("/images/", images.post),
        web.post("/v2/models/{name}/infer", protocol.infer),
    ]
    play(run, routes)


def request(*pictures: bytes) -> dict[str, Any]:
    """Return a request in binary form."""
    binary = b"".join(len(each).to_bytes(4, "little") + each for each in pictures)
    image = {
        "name": "image",
        "datatype": "BYTES",
        "shape": [len(pictures)],
        "parameters": {"binary_data_size": len(binary)},
    }
    head = orjson.dumps({"inputs": [image]})
    length = {"Inference-Header-Content-Length": str(len(head))}
    return {"data": head + binary, "headers": length}


@pytest.fixture(autouse=True)
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """Return a connection that confirms at once, and answers when the test says so."""
    made = Kafka()
    made.stand_in(monkeypatch)
    return made


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_requests_at_once_send_no_more_pictures_than_the_limit(kafka: Kafka) -> None:
    async def scenario(client: Client) -> None:
        async def status() -> int:
            return (await client.post(INFER, **request(*[b"x"] * 32))).status

        waiting = [asyncio.create_task(status()) for _ in range(40)]
        await until(lambda: sum(each.done() for each in waiting) == 39 and len(kafka.asked) >= 32)
        assert len(kafka.asked) == 32, "of 40"
        for number in range(32):
            kafka.answer(number)
        assert sorted(await asyncio.gather(*waiting)) == [200, *[429] * 39]

    told(scenario, rate=20)


def test_what_is_no_request_counts_as_a_picture() -> None:
    async def scenario(client: Client) -> None:
        found = [(await client.post(INFER, data=b"{}")).status for _ in range(6)]
        assert found == [400, 400, 400, 400, 429, 429]

    told(scenario, rate=2)


@pytest.mark.parametrize("path", ["/images/", INFER])
def test_who_waits_holds_no_picture(kafka: Kafka, path: str) -> None:
    clients = 8

    async def scenario(client: Client) -> None:
        async def wait(number: int) -> int:
            picture = bytes([number]) * MEGABYTE
            sent: dict[str, Any] = {"data": picture, "headers": dict[str, str]()}
            if path == INFER:
                sent = request(picture)
            sent["headers"] |= {"Prefer": "wait=15", "Content-Type": "application/octet-stream"}
            return (await client.post(path, **sent)).status

        tracemalloc.start()
        waiting = []
        for number in range(clients):
            waiting.append(asyncio.create_task(wait(number)))
            await until(lambda: len(kafka.asked) == len(waiting))
        server_holds = clients * MEGABYTE
        await asyncio.sleep(0.05)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # The client of this test holds its own copies: of the data, and of the bytes that it sends.
        copies = 3 if path == INFER else 1
        assert held - copies * server_holds < server_holds / 2
        for number in range(clients):
            kafka.answer(number)
        assert set(await asyncio.gather(*waiting)) == {200}

    told(scenario)
