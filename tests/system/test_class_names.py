"""Test of 1,000 classes with names of any text, wherever a label is read, on two workers."""

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest
import requests

from catdog_stream.records import Label
from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE, Worker
from tests.support.client import Client, header, request, strict_label
from tests.support.command import Command
from tests.support.thousand_classes import ODD, Odd, pictures

pytestmark = [pytest.mark.integration, pytest.mark.long]

SETTINGS = {"CATDOG_CLASSIFIER": "tests.support.thousand_classes:Odd", "CATDOG_METRIC_LABELS": "9"}
SENT = [*range(100), *range(len(ODD)), *range(3)]
TRUTH = Counter(Odd.classes[number] for number in SENT)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with own_broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker.address


@pytest.fixture(scope="module")
def workers(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Worker]]:
    """Yield two workers that have answered all of ``SENT``."""
    folder = tmp_path_factory.mktemp("workers")
    with ExitStack() as stack:
        found = [stack.enter_context(Worker(address, folder, settings=SETTINGS)) for _ in range(2)]
        for worker in found:
            worker.wait_ready()
        asyncio.run(classify(address))
        for worker in found:
            wait_until(
                lambda worker=worker: worker.get("/labels/")["labels"] == TRUTH,  # type: ignore[misc]
                "all labels to be counted",
                PATIENCE,
            )
        yield found


async def classify(address: str) -> None:
    """Send a picture for each of ``SENT``, and check its label."""
    async with Client(address) as client:
        sources = await client.send([request(picture) for picture in pictures(SENT)])
        await client.answers(sources)
        for source, number in zip(sources, SENT, strict=True):
            (record,) = client.labels[source]
            name = Odd.classes[number]
            body = strict_label(record.value)
            assert body["label"].startswith(f"Probabilities: {name} 50.0% ")
            assert header(record, "verdict") == name
            names = [key for key, _ in record.headers]
            assert names == ["verdict", "scores", "stack", "source"]
            scores = orjson.loads(header(record, "scores") or "")
            assert (len(scores), scores[name]) == (5, pytest.approx(0.5))
            label = Label.parse(record.value, record.headers)
            assert label is not None
            assert (label.verdict, dict(label.scores)) == (name, scores)


def test_each_label_has_its_count(workers: list[Worker]) -> None:
    for worker in workers:
        for name in (*ODD, Odd.classes[99], Odd.classes[999]):
            found = worker.get(f"/labels/{quote(name, safe='')}/")
            assert found == {"label": name, "count": TRUTH[name]}
        assert worker.status("/labels/none/") == 404


def test_the_page_shows_the_most_frequent_and_the_number_of_the_others(
    workers: list[Worker],
) -> None:
    for worker in workers:
        page = requests.get(f"http://127.0.0.1:{worker.port}/", timeout=10).text
        assert "<b>bold</b>" not in page
        rows = re.search('id="labels-body".*?</table>', page, re.DOTALL)
        assert rows is not None
        cells = [unescape(cell) for cell in re.findall("<t[hd][^>]*>([^<]*)</t[hd]>", rows[0])]
        assert "89 further labels" in cells
        assert set(ODD[:3]) <= set(cells)
        assert len(page) < 100_000


def test_metrics_by_label_are_few(workers: list[Worker]) -> None:
    total = 0
    for worker in workers:
        text = requests.get(f"http://127.0.0.1:{worker.port}/metrics", timeout=10).text
        found = re.findall(r'^catdog_labels_total\{label="(.*)",stack="odd 1"\} (.*)$', text, re.M)
        assert len(found) <= 10
        assert "other" in dict(found)
        total += round(sum(float(count) for _, count in found))
    assert total == len(SENT)


def test_clients_over_http_get_the_likeliest(workers: list[Worker]) -> None:
    (picture,) = pictures([1])
    at = f"http://127.0.0.1:{workers[0].port}"
    headers = {"Prefer": "wait=20", "Content-Type": "image/png"}
    answer = requests.post(f"{at}/images/", picture, headers=headers, timeout=60).json()
    TRUTH["a/b"] += 1
    assert (answer["verdict"], answer["scores"]["a/b"], len(answer["scores"])) == (
        *("a/b", pytest.approx(0.5), 5),
    )
    model = requests.get(f"{at}/v2/models/catdog", timeout=10).json()
    assert orjson.loads(model["parameters"]["classes"]) == list(Odd.classes)


def test_watch_prints_the_labels(address: str, workers: list[Worker], tmp_path: Path) -> None:
    assert workers
    environment = {"CATDOG_BROKER": f"kafka://{address}", "PATH": "", "PYTHONPATH": ""}
    arguments = [sys.executable, "-m", "catdog_stream", "watch", "--from-beginning"]
    with Command(arguments, environment, tmp_path) as watch:
        wait_until(lambda: watch.output().count("Probabilities: ") >= len(SENT), "the labels")
        for name in ODD:
            assert f"Probabilities: {name} 50.0%" in watch.output()
