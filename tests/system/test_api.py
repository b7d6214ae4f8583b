"""Tests of pictures that are sent over HTTP, and of their results, which any worker returns."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from catdog_stream.testing import Worker, own_broker
from catdog_stream.testing.fixtures import StartWorker
from catdog_stream.testing.waiting import wait_until
from tests.support.client import Client, Message, header, request
from tests.support.pictures import BLUE, LOOKING, RED, noise

pytestmark = pytest.mark.integration

WAIT = {"Content-Type": "image/png", "Prefer": "wait=20"}
SETTINGS = {"CATDOG_WEB_RATE": "0"}


@pytest.fixture(scope="module")
def worker(looking: Worker) -> Worker:
    """Return a worker without a rate limit."""
    return looking


def at(worker: Worker, path: str = "/images/") -> str:
    return f"http://127.0.0.1:{worker.port}{path}"


def post(worker: Worker, data: Any = RED, path: str = "/images/", **more: Any) -> requests.Response:
    return requests.post(at(worker, path), data=data, timeout=60, **more)


def image(worker: Worker, location: str) -> requests.Response:
    return requests.get(at(worker, location), timeout=60)


def answered(worker: Worker, location: str) -> dict[str, Any]:
    """Return the state of an image when it has its result."""
    wait_until(lambda: image(worker, location).status_code == 200, f"the answer at {location}")
    return dict(image(worker, location).json())


def test_a_picture_is_sent_and_its_answer_is_where_it_was_promised(worker: Worker) -> None:
    sent = post(worker, path="/images/?url=aHR0cA", headers={"Content-Type": "image/png"})
    assert sent.status_code == 202
    location = sent.headers["Location"]
    id_ = location.removeprefix("/images/")
    assert sent.json() == {"id": id_, "status": "waiting", "location": location}
    told = answered(worker, location)
    partition, offset = id_.split("-")
    assert told == {
        "id": id_,
        "source": f"catdogimage/{partition}/{offset}",
        "status": "labelled",
        "url": "aHR0cA",
        "label": "Probabilities: cat 99.9% dog 0.1%",
        "verdict": "cat",
        "scores": {"cat": 0.999, "dog": pytest.approx(0.001)},
        "stack": "instant 1",
    }


def test_who_prefers_to_wait_has_the_answer_at_once(worker: Worker) -> None:
    sent = post(worker, headers=WAIT)
    assert sent.status_code == 200
    assert sent.headers["Preference-Applied"] == "wait"
    assert sent.json() == image(worker, sent.headers["Location"]).json()
    assert sent.json()["verdict"] == "cat"


def test_a_form_is_taken_too(worker: Worker) -> None:
    sent = requests.post(
        at(worker), files={"image": BLUE}, data={"url": "höhe"}, headers={"Prefer": WAIT["Prefer"]}
    )
    assert sent.status_code == 200
    assert (sent.json()["verdict"], sent.json()["url"]) == ("dog", "höhe")


def test_what_is_no_picture_is_rejected_by_the_stream(worker: Worker) -> None:
    sent = post(worker, b"nonsense", headers=WAIT)
    assert sent.status_code == 200
    told = sent.json()
    assert (told["status"], told["reason"]) == ("rejected", "not_an_image")
    assert told["detail"]
    by_reason = requests.get(at(worker, "/rejected/"), timeout=10).json()
    found = by_reason["reasons"]["not_an_image"]
    assert found["count"] >= 1
    assert found["latest"]["id"] == told["id"]


def test_a_request_stands_in_kafka_as_any_other(broker_address: str, worker: Worker) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    async def scenario() -> None:
        async with Client(broker_address) as client:
            sent = await asyncio.to_thread(post, worker, headers={**WAIT, "traceparent": trace})
            source = sent.json()["source"]
            await client.answers([source])
            (record,) = client.labels[source]
            assert json.loads(record.value or b"")["url"] is None
            assert header(record, "traceparent") == trace

    asyncio.run(scenario())


def test_many_at_once_each_get_their_own_answer(worker: Worker) -> None:
    pictures = [RED, BLUE, b"nonsense"] * 20
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda data: post(worker, data, headers=WAIT).json(), pictures))
    assert [each.get("verdict") for each in answers] == ["cat", "dog", None] * 20
    assert len({each["id"] for each in answers}) == len(answers)


def test_what_is_too_large_is_refused_while_it_comes(worker: Worker) -> None:
    limit = 4 * 1024 * 1024
    assert post(worker, noise(limit), headers=WAIT).json()["verdict"] == "cat"

    def told(**body: Any) -> int | None:
        try:
            return requests.post(at(worker), timeout=60, **body).status_code
        except requests.ConnectionError:
            return None  # the image was still being sent

    assert told(data=noise(limit + 1)) in (413, None)
    assert told(files={"image": noise(limit + 1)}) in (413, None)
    endless = (bytes(65536) for _ in range(10_000))
    assert told(data=endless) in (413, None)
    assert post(worker, data=b"").status_code == 400
    assert post(worker, headers={"Content-Type": "text/plain"}).status_code == 415


def test_what_there_is_not_is_a_problem(worker: Worker) -> None:
    for path, status in (
        ("/images/0-999999999", 404),
        ("/images/4711-0", 404),
        ("/images/3-017", 400),
        ("/images/", 405),
        ("/images/1/2", 404),
        ("/labels/zebra/", 404),
    ):
        told = requests.get(at(worker, path), timeout=10)
        assert told.status_code == status, path
        assert told.headers["Content-Type"] == "application/problem+json"
        assert told.json()["status"] == status


def test_any_worker_answers_and_one_that_was_started_anew(
    start_worker: StartWorker, worker: Worker
) -> None:
    labelled = post(worker, headers=WAIT).json()
    rejected = post(worker, b"nonsense", headers=WAIT).json()
    other = start_worker(LOOKING, SETTINGS)
    for each in (labelled, rejected):
        told = image(other, f"/images/{each['id']}")
        assert told.status_code == 200
        assert told.json() == each
    other.terminate()
    other.start().wait_ready()
    told = image(other, f"/images/{labelled['id']}")
    assert told.json() == labelled
    mine = post(other, BLUE).headers["Location"]
    assert answered(worker, mine) == answered(other, mine)


def test_what_others_have_sent_is_told_too_wherever_its_time_lies(
    broker_address: str, worker: Worker
) -> None:
    in_half_an_hour = int(time.time() + 1800) * 1000

    async def scenario() -> list[str]:
        async with Client(broker_address) as client:
            sources = await client.send(
                [
                    Message(request(RED), timestamp_ms=1_000),
                    Message(request(BLUE, url="u"), timestamp_ms=in_half_an_hour),
                    Message(b"[]", key=b"k"),
                ]
            )
            await client.answers(sources)
            return sources

    told = []
    for source in asyncio.run(scenario()):
        _, partition, offset = source.split("/")
        told.append(answered(worker, f"/images/{partition}-{offset}"))
    assert [each.get("verdict", each.get("reason")) for each in told] == [
        "cat",
        "dog",
        "not_an_object",
    ]
    assert told[1]["url"] == "u"


@pytest.mark.long
def test_without_kafka_it_says_so_and_goes_on_when_kafka_is_back(tmp_path: Path) -> None:
    with (
        own_broker(tmp_path / "broker") as broker,
        Worker(broker.address, tmp_path, module=LOOKING, settings=SETTINGS) as worker,
    ):
        worker.wait_ready()
        before = post(worker, headers=WAIT).json()
        broker.kill()
        told = post(worker, headers=WAIT)
        assert told.status_code == 503
        assert told.headers["Retry-After"]
        assert told.json()["detail"]
        assert image(worker, f"/images/{before['id']}").status_code == 200, "it is known"
        assert image(worker, "/images/0-999999").status_code == 503
        broker.start()
        worker.wait_ready()
        wait_until(
            lambda: post(worker, headers=WAIT).status_code == 200, "pictures to be taken", 60
        )
        assert worker.terminate() == 0


@pytest.mark.long
def test_who_waits_does_not_keep_a_worker_from_its_end(tmp_path: Path) -> None:
    with (
        ThreadPoolExecutor(16) as pool,
        own_broker(tmp_path / "broker") as broker,
        Worker(broker.address, tmp_path, module=LOOKING, settings=SETTINGS) as worker,
    ):
        worker.wait_ready()
        with Worker(broker.address, tmp_path, module=LOOKING) as other:
            other.wait_ready()
            wait_until(lambda: len(partitions(worker)) < 8, "the partitions to be shared")
            other.pause()  # the requests of its partitions wait
            waiting = [pool.submit(post, worker, headers=WAIT) for _ in range(16)]
            wait_until(lambda: any(each.done() for each in waiting), "the first answer")
            assert worker.terminate(12) == 0
            statuses = {each.result().status_code for each in waiting}
            assert statuses <= {200, 202, 503}
            other.kill()


def partitions(worker: Worker) -> list[int]:
    """Return the partitions that a worker reports as its own."""
    told = requests.get(at(worker, "/shards/?since=0"), timeout=10).json()
    return list(told["state"]["partitions"])
