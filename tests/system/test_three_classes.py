"""Tests of stacks with three classes that are no animals: from their files to labels and counts."""

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.training.head_training import train_head
from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE, Worker
from tests.support.client import Client, header, request, strict_label
from tests.support.onnx_files import colour_stack

pytestmark = pytest.mark.integration

COLOURS = ("blue", "green", "red")  # in alphabetical order, as the folders are read
PICTURES = 8
SIDE = 64


def picture(colour: str, random: np.random.Generator) -> bytes:
    """Return a noisy field of a colour."""
    pixels = random.integers(0, 60, (SIDE, SIDE, 3))
    pixels[:, :, "rgb".index(colour[0])] += random.integers(120, 195)
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.long
def test_three_colours_go_from_training_to_the_page(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for colour in COLOURS:
        folder = tmp_path / "pictures" / colour
        folder.mkdir(parents=True)
        for number in range(PICTURES):
            (folder / f"{number}.png").write_bytes(picture(colour, random))
    stack = tmp_path / "colours"
    trained = train_head(
        tmp_path / "pictures",
        stack,
        backbone=default_stack(),
        validation=tmp_path / "pictures",
        name="colours",
        threads=2,
        progress=False,
    )
    assert trained.validation is not None
    assert trained.validation.accuracy == 1
    assert list(trained.validation.confusion) == list(COLOURS)

    serve(stack, COLOURS, tmp_path)


def test_a_complete_onnx_classifier_is_served_without_a_head(tmp_path: Path) -> None:
    stack = colour_stack(tmp_path / "colours")
    serve(stack, ("red", "green", "blue"), tmp_path)


def serve(stack: Path, classes: Sequence[str], tmp_path: Path) -> None:
    """Serve the stack ``colours 1`` and check the labels and counts of three pictures."""
    random = np.random.default_rng(1)

    async def scenario(address: str) -> None:
        async with Client(address) as client:
            sources = await client.send([request(picture(c, random)) for c in classes])
            await client.answers(sources)
            for source, colour in zip(sources, classes, strict=True):
                (record,) = client.labels[source]
                text = strict_label(record.value)["label"]
                assert [part for part in text.split() if part in classes] == list(classes)
                assert header(record, "verdict") == colour
                assert header(record, "stack") == "colours 1"
                chances = {name: float(header(record, name) or "nan") for name in classes}
                assert max(chances, key=lambda name: chances[name]) == colour
                assert sum(chances.values()) == pytest.approx(1)
                assert header(record, "cat") is None

    with (
        own_broker(tmp_path / "broker") as broker,
        Worker(broker.address, tmp_path, settings={"CATDOG_STACK": str(stack)}) as worker,
    ):
        worker.wait_ready()
        assert worker.get("/labels/red/") == {"label": "red", "count": 0}
        assert worker.status("/labels/cat/") == 404
        asyncio.run(scenario(broker.address))
        wait_until(
            lambda: worker.get("/labels/")["labels"] == dict.fromkeys(classes, 1),
            "three colours to be counted",
            PATIENCE,
        )
