"""Tests of requests and of their labels and rejections, as the wire contract states them."""

import asyncio
import io
import json
from collections import Counter
from typing import Any

import pytest
import requests
from PIL import Image

from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import Client, Message, header, request, strict_label

pytestmark = pytest.mark.integration

URL = "aHR0cHM6Ly9leGFtcGxlLm9yZy9jYXQ_YT0xJmI9Mg"


def png_with_alpha(picture: bytes) -> bytes:
    """Return the picture as the first system's client sends it: 299 x 299, four channels."""
    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGBA").resize((299, 299)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.usefixtures("worker")
def test_existing_clients_get_the_answers_they_expect(
    broker_address: str, cat: bytes, dog: bytes
) -> None:
    """Send no key; ``label`` absent, null or empty; an opaque url; a PNG with alpha."""

    async def scenario() -> None:
        async with Client(broker_address) as client:
            sources = await client.send(
                [
                    request(png_with_alpha(cat), URL),
                    request(png_with_alpha(dog), URL, label=None),
                    request(cat, URL, label=""),
                ]
            )
            await client.answers(sources)
            for source, verdict in zip(sources, ("cat", "dog", "cat"), strict=True):
                (record,) = client.labels[source]
                body = strict_label(record.value)
                chance = f"{float(header(record, verdict) or 0):.1%}"
                assert list(body) == ["label", "url", "data"]
                assert body["url"] == URL
                assert body["data"] is None
                assert body["label"].startswith("Probabilities: cat ")
                assert f"{verdict} {chance}" in body["label"]
                expected = f'{{"label": "{body["label"]}", "url": "{URL}", "data": null}}'
                assert record.value == expected.encode()
                assert record.key is None
                assert header(record, "verdict") == verdict
                assert header(record, "stack")
                chances = [float(header(record, name) or "nan") for name in ("cat", "dog")]
                assert sum(chances) == pytest.approx(1)

    asyncio.run(scenario())


@pytest.mark.usefixtures("worker")
def test_key_partition_time_and_headers_of_a_request_come_back_with_its_label(
    broker_address: str, cat: bytes
) -> None:
    trace = (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").decode()

    async def scenario() -> None:
        async with Client(broker_address) as client:
            message = Message(
                request(cat),
                key=b"\xff\x00 not text",
                headers=[("traceparent", trace.encode()), ("x", b""), ("cat", b"not yours")],
                partition=5,
                timestamp_ms=1_700_000_000_123,
            )
            (source,) = await client.send([message])
            await client.answers([source])
            (record,) = client.labels[source]
            assert record.key == message.key
            assert record.partition == 5
            assert record.timestamp == message.timestamp_ms
            assert header(record, "traceparent") == trace
            assert header(record, "x") == ""
            assert [name for name, _ in record.headers].count("cat") == 1
            assert header(record, "source") == source

    asyncio.run(scenario())


def test_a_bad_request_costs_nothing_but_itself(
    worker: Worker, broker_address: str, cat: bytes
) -> None:
    """Send good and bad requests to one partition: good ones are labelled, bad ones rejected."""
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    bad: dict[str, bytes | None] = {
        "not_json": b"\xff\xfe{",
        "not_an_object": b"[1, 2]",
        "bad_url": json.dumps({"url": 5, "data": "QQ=="}).encode(),
        "missing_data": b'{"label": null, "url": "x"}',
        "bad_base64": b'{"url": "x", "data": "a*b"}',
        "not_an_image": request(b"GIF says the text, but it is not"),
        "damaged_image": request(cat[: len(cat) // 8]),  # less than one coarse scan of the picture
        "too_large": request(b"\x00" * (4 * 1024 * 1024 + 1)),
        "too_many_pixels": request(bomb.getvalue()),
    }

    async def scenario() -> None:
        async with Client(broker_address) as client:
            before = worker.get("/labels/")
            messages: list[Message] = []
            for value in (*bad.values(), None):
                messages += [
                    Message(value, key=b"k", headers=[("h", b"1")], partition=3),
                    Message(request(cat), partition=3),
                ]
            sources = await client.send(messages)
            await client.answers(sources)
            for (reason, value), source in zip(bad.items(), sources[::2], strict=False):
                (record,) = client.rejected[source]
                assert header(record, "reason") == reason
                assert header(record, "detail")
                assert (record.key, record.value, header(record, "h")) == (b"k", value, "1")
            assert header(client.rejected[sources[-2]][0], "reason") == "not_json"
            assert all(source in client.labels for source in sources[1::2])
            assert not set(sources[::2]) & client.labels.keys()

            def counted() -> bool:
                after = worker.get("/labels/")
                return bool(
                    after["total"] - before["total"] == len(bad) + 1
                    and after["rejected"] - before["rejected"] == len(bad) + 1
                )

            wait_until(counted, "all answers to be counted")

    asyncio.run(scenario())


def test_answers_of_other_services_are_counted_too(worker: Worker, broker_address: str) -> None:
    """Write a record to ``catdoglabel`` without headers, as the hand-written loop does."""

    async def scenario() -> None:
        async with Client(broker_address) as client:
            before = worker.get("/labels/")
            for _ in range(2):
                await client.producer.send_and_wait(
                    "catdoglabel",
                    b'{"label": "Probabilities: cat 1.0% dog 99.0%", "url": "x", "data": null}',
                )
            await client.producer.send_and_wait(
                "catdoglabel", b"?", headers=[("verdict", b"<script>alert(1)</script>")]
            )

            def counted() -> bool:
                return bool(worker.get("/labels/")["total"] == before["total"] + 3)

            wait_until(counted, "the foreign answers to be counted")

    asyncio.run(scenario())
    page = requests.get(f"http://127.0.0.1:{worker.port}/", timeout=10).text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_statistics_agree_with_each_other(worker: Worker) -> None:
    everything: dict[str, Any] = worker.get("/labels/")
    assert everything["total"] == sum(Counter(everything["labels"]).values())
    for label, count in everything["labels"].items():
        if "<" not in label:
            assert worker.get(f"/labels/{label}/") == {"label": label, "count": count}
    assert worker.status("/labels/giraffe/") == 404
    assert worker.get("/healthz") == {"alive": True, "problems": []}
    ready = worker.get("/readyz")
    # A busy machine may be slow, and nothing else.
    assert ready.pop("warnings", []) in ([], ["Slow: see the page or /metrics."])
    assert ready == {"ready": True, "problems": []}
    assert worker.status("/metrics") == 200
    assert worker.status("/table/") == 404
