"""Test of requests in every format, which one worker reads by itself, and of ``send`` and HTTP."""

import asyncio
import base64
import json
from pathlib import Path

import pytest
import requests

from catdog_stream.testing import Worker, own_broker
from tests.support.client import Client, Message, header, request
from tests.support.python_classes import grey

pytestmark = pytest.mark.integration

LIGHT = grey(250)
EVENT = {"specversion": "1.0", "id": "1", "source": "camera", "type": "picture", "subject": "a/b"}
BINARY = (("ce_specversion", b"1.0"), ("ce_subject", b"a/b"), ("content-type", b"image/png"))


def test_a_picture_file_a_cloud_event_and_json_have_labels_and_garbage_its_reason(
    tmp_path: Path,
) -> None:
    settings = {
        "CATDOG_CLASSIFIER": "tests.support.python_classes:First",
        "CATDOG_REQUEST_FORMAT": "auto",
    }
    messages = [
        Message(LIGHT),
        Message(LIGHT, headers=(("url", b"a/b"),)),
        Message(LIGHT, headers=BINARY),
        Message(json.dumps({**EVENT, "data_base64": base64.b64encode(LIGHT).decode()}).encode()),
        Message(request(LIGHT, "a/b")),
    ]

    async def classify(address: str) -> None:
        async with Client(address) as client:
            sources = await client.send(messages)
            await client.answers(sources)
            for source, url in zip(sources, [None, *["a/b"] * 4], strict=True):
                (label,) = client.labels[source]
                assert header(label, "verdict") == "light"
                document = json.loads(label.value)
                assert (document["url"], document["data"]) == (url, None)
            (bad,) = await client.send([b"neither JSON nor a picture"])
            await client.answers([bad])
            assert header(client.rejected[bad][0], "reason") == "not_an_image"

    with (
        own_broker(tmp_path / "broker") as broker,
        Worker(broker.address, tmp_path, settings=settings) as worker,
    ):
        worker.wait_ready()
        asyncio.run(classify(broker.address))
        page = f"http://127.0.0.1:{worker.port}"
        with Worker(
            broker.address,
            tmp_path,
            settings={
                **settings,
                "CATDOG_REQUEST_FORMAT": "cloudevents",
                "CATDOG_LABEL_FORMAT": "cloudevents",
                "CATDOG_LABEL_TEXT": "{verdict}, {probability:.0%}",
            },
        ) as other:
            other.wait_ready()
            sent = requests.post(
                f"http://127.0.0.1:{other.port}/images/",
                data=LIGHT,
                headers={"Content-Type": "image/png", "Prefer": "wait=20"},
                timeout=30,
            )
            assert sent.json()["verdict"] == "light", "either worker reads an event"
            assert sent.json()["scores"].keys() == {"light", "dark"}
        assert requests.get(page, timeout=10).status_code == 200
