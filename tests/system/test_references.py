"""Tests of requests that name their picture by a reference: S3, HTTPS and folders, under a kill."""

import asyncio
import json
import ssl
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from catdog_stream.testing import Worker, own_broker
from tests.fetching.serving import answering, leading_to, serving
from tests.fetching.stores import environment, s3
from tests.support.client import Client, Message, header
from tests.support.metrics import samples
from tests.support.python_classes import grey
from tests.support.secured import HOST, Certificates

pytestmark = pytest.mark.integration

LIGHT, DARK = grey(250), grey(5)
CLASSIFIER = {"CATDOG_CLASSIFIER": "tests.support.python_classes:First"}
PARTITIONS = 4


def naming(reference: str, partition: int | None = None) -> Message:
    """Return a request with a reference."""
    return Message(json.dumps({"url": reference}).encode(), partition=partition)


@contextmanager
def worker(
    address: str, folder: Path, allowed: str, more: Mapping[str, str] | None = None
) -> Iterator[Worker]:
    settings = {
        **CLASSIFIER,
        "CATDOG_FETCH": allowed,
        "CATDOG_PARTITIONS": str(PARTITIONS),
        **(more or {}),
    }
    with Worker(address, folder, settings=settings) as started:
        yield started.wait_ready()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with own_broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker.address


def in_flight(started: Worker) -> float:
    """Return the number of requests that a worker has taken and not answered."""
    ((_, value),) = samples(started.port, "catdog_requests_in_flight")
    return value


async def results(client: Client, messages: list[Message]) -> list[str | None]:
    """Send requests; return the verdict or the reason of each."""
    sources = await client.send(messages)
    await client.answers(sources)
    return [
        header(client.labels[source][0], "verdict")
        if client.labels[source]
        else header(client.rejected[source][0], "reason")
        for source in sources
    ]


def test_pictures_of_s3_of_a_folder_and_of_events_are_labelled_and_others_have_their_reason(
    address: str, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "light.png").write_bytes(LIGHT)
    event = {"specversion": "1.0", "id": "1", "source": "a", "type": "b", "subject": "s"}

    async def scenario() -> None:
        async with Client(address) as client:
            more = Message(json.dumps({"a": 2**70, "url": "s3://cats/light.png"}).encode())
            assert await results(client, [more]) == ["light"]
            ((label,),) = client.labels.values()
            assert json.loads(label.value)["a"] == 2**70
            assert json.loads(label.value)["url"] == "s3://cats/light.png"
            assert await results(
                client,
                [
                    naming("s3://cats/dark.png"),
                    naming(f"file://{folder}/light.png"),
                    Message(json.dumps({**event, "dataref": "s3://cats/dark.png"}).encode()),
                    Message(
                        None,
                        key=b"k",
                        headers=(
                            ("ce_specversion", b"1.0"),
                            ("ce_dataref", b"s3://cats/light.png"),
                        ),
                    ),
                    naming("s3://cats/missing.png"),
                    naming("s3://dogs/light.png"),
                    naming("https://127.0.0.1/"),
                    naming(f"file://{folder}/../secret"),
                    naming("s3://cats/text"),
                    naming("s3://cats/a//b"),
                    Message(b'{"url": "aHR0cHM6Ly9leGFtcGxlLm9yZy8"}'),
                ],
            ) == [
                *("dark", "light", "dark", "light"),
                *("reference_not_found", "reference_not_allowed", "reference_not_allowed"),
                *("reference_not_allowed", "not_an_image", "bad_reference", "missing_data"),
            ]

    with s3() as server:
        server.put("cats", {"light.png": LIGHT, "dark.png": DARK, "text": b"no picture"})
        allowed = f"s3://cats, file://{folder}"
        more = {**environment(server.address), "CATDOG_REQUEST_FORMAT": "auto"}
        with worker(address, tmp_path, allowed, more):
            asyncio.run(scenario())


def test_without_the_setting_nothing_is_fetched(address: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Client(address) as client:
            assert await results(client, [naming("s3://cats/light.png")]) == ["missing_data"]

    with worker(address, tmp_path, ""):
        asyncio.run(scenario())


def with_server(
    folder: Path, scenario: Callable[[str, Mapping[str, str]], Coroutine[Any, Any, None]]
) -> None:
    """Run a scenario with an HTTPS server, and the settings of a worker that trusts it."""
    certificates = Certificates(folder / "certificates")
    certificates.make()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates.server)

    async def slow(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response(body=LIGHT)

    async def late(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(int(request.query["of"]) * 7 % 40 / 1000)
        body = LIGHT if int(request.query["of"]) % 2 else DARK
        return web.Response(body=body, content_type="image/png")

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/png"})
        await response.prepare(request)
        while True:
            await response.write(b"x" * 100_000)

    async def run() -> None:
        routes = {
            "/light": answering(LIGHT),
            "/slow": slow,
            "/late": late,
            "/endless": endless,
            "/away": leading_to("https://169.254.169.254/"),
            "/round": leading_to("/round"),
        }
        async with serving(routes, tls=tls) as url:
            await scenario(
                f"https://{HOST}:{url.port}", {"SSL_CERT_FILE": str(certificates.authority)}
            )

    asyncio.run(run())


@pytest.mark.long
def test_hostile_servers_cost_their_own_requests_and_a_slow_one_holds_up_no_other_partition(
    address: str, tmp_path: Path
) -> None:
    async def scenario(server: str, trusting: Mapping[str, str]) -> None:
        with worker(address, tmp_path, server, trusting) as started:
            async with Client(address) as client:
                paths = ("light", "endless", "away", "round", "nothing")
                assert await results(client, [naming(f"{server}/{path}") for path in paths]) == [
                    *("light", "too_large", "reference_not_allowed"),
                    *("reference_failed", "reference_not_found"),
                ]
                slow = await client.send([naming(f"{server}/slow", 0) for _ in range(1000)])
                fast = [naming(f"{server}/light", number % 3 + 1) for number in range(300)]
                async with asyncio.timeout(8):  # less than a slow reference takes
                    assert await results(client, fast) == ["light"] * 300
                assert not client.rejected.keys() & set(slow)
                async with asyncio.timeout(8):
                    # The partition is paused: most of its requests are not taken.
                    while await asyncio.to_thread(in_flight, started) > 200:
                        await asyncio.sleep(0.1)
                await client.answers(slow[:40])
                reason = header(client.rejected[slow[0]][0], "reason")
                assert reason == "reference_timeout"

    with_server(tmp_path, scenario)


def test_after_a_kill_every_reference_has_one_counted_label_in_order(
    address: str, tmp_path: Path
) -> None:
    async def scenario(server: str, trusting: Mapping[str, str]) -> None:
        count = 400
        async with Client(address) as client:
            with worker(address, tmp_path, server, trusting) as first:
                before = await asyncio.to_thread(first.get, "/labels/")
                messages = [
                    naming(f"{server}/late?of={number}", number % PARTITIONS)
                    for number in range(count)
                ]
                sources = await client.send(messages)
                while len(client.labels.keys() & set(sources)) < count // 4:
                    await asyncio.sleep(0.01)
                first.kill()
            with worker(address, tmp_path, server, trusting) as second:
                await client.answers(sources)
                async with asyncio.timeout(60):
                    while True:
                        after = await asyncio.to_thread(second.get, "/labels/")
                        if (counted := after["total"] - before["total"]) >= count:
                            break
                        await asyncio.sleep(0.1)
                assert counted == count
        for number, source in enumerate(sources):
            for label in client.labels[source]:
                assert header(label, "verdict") == ("light" if number % 2 else "dark")
        for partition in range(PARTITIONS):
            firsts = [client.labels[source][0].offset for source in sources[partition::PARTITIONS]]
            assert firsts == sorted(firsts)
        assert not client.rejected.keys() & set(sources)

    with_server(tmp_path, scenario)
