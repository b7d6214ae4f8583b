"""Tests of the API's tokens, rate limits, upload limits and allowed origins."""

import json
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from catdog_stream.testing import Worker
from catdog_stream.testing.fixtures import StartWorker
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE
from tests.support.pictures import LOOKING, RED
from tests.web.attacked_servers import PROBE_SECONDS, Server, bomb

pytestmark = pytest.mark.integration

GIGABYTE = 1 << 30
READ, SEND = "reading-secret-4711", "sending-secret-0815"
SETTINGS = {
    "CATDOG_WEB_READ_TOKEN": READ,
    "CATDOG_WEB_SEND_TOKEN": SEND,
    "CATDOG_WEB_RATE": "0.5",
}
INFER = {
    "inputs": [
        {
            "name": "image",
            "datatype": "BYTES",
            "shape": [1],
            "data": [b64encode(RED).decode()],
        }
    ]
}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def get(worker: Worker, path: str, **more: Any) -> requests.Response:
    return requests.get(f"http://127.0.0.1:{worker.port}{path}", timeout=10, **more)


def post(worker: Worker, path: str = "/images/", **more: Any) -> requests.Response:
    body = {"data": RED} if path == "/images/" else {"json": INFER}
    return requests.post(f"http://127.0.0.1:{worker.port}{path}", timeout=60, **body, **more)


@pytest.fixture(scope="module")
def worker(broker_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Yield a worker with both tokens that accepts a picture every two seconds."""
    folder = tmp_path_factory.mktemp("worker")
    with Worker(broker_address, folder, module=LOOKING, settings=SETTINGS) as started:
        yield started.wait_ready()


def test_reading_takes_the_token_for_reading(worker: Worker) -> None:
    paths = ("/", "/labels/", "/metrics", "/images/0-0", "/rejected/", "/openapi.json", "/v2")
    for path in (*paths, "/shards/", "/history/", "/nothing-here"):
        assert get(worker, path).status_code == 401, path
        assert get(worker, path, headers=bearer(SEND)).status_code == 401, path
        assert get(worker, path, headers=bearer(READ)).status_code in (200, 404), path
    page = get(worker, "/")
    assert page.headers["WWW-Authenticate"].startswith("Basic")
    assert get(worker, "/", auth=("anybody", READ)).status_code == 200
    described = get(worker, "/openapi.json", headers=bearer(READ)).json()
    assert described["paths"]["/labels/"]["get"]["security"]


def test_probes_take_none(worker: Worker) -> None:
    for path in ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"):
        assert get(worker, path, headers={"Host": "10.20.30.40"}).status_code == 200


def test_sending_takes_the_token_for_sending(worker: Worker) -> None:
    for path in ("/images/", "/v2/models/catdog/infer"):
        assert post(worker, path).status_code == 401
        assert post(worker, path, headers=bearer(READ)).status_code == 401
    sent = post(worker, headers={**bearer(SEND), "Prefer": "wait=20"})
    assert sent.status_code == 200
    assert sent.json()["verdict"] == "cat"


def test_a_page_of_another_origin_cannot_have_a_browser_send(worker: Worker) -> None:
    for foreign in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example.org"},
        {"Origin": f"http://localhost:{worker.port}"},  # not the name in the request
        {"Origin": "null"},
    ):
        for path in ("/images/", "/v2/models/catdog/infer"):
            assert post(worker, path, headers={**bearer(SEND), **foreign}).status_code == 403
    own = {"Sec-Fetch-Site": "same-origin", "Origin": f"http://127.0.0.1:{worker.port}"}
    assert post(worker, headers={**bearer(SEND), **own}).status_code in (202, 429)


def test_nothing_is_shared_with_other_origins(worker: Worker) -> None:
    told = requests.options(
        f"http://127.0.0.1:{worker.port}/images/",
        headers={
            **bearer(READ),
            "Origin": "https://evil.example.org",
            "Access-Control-Request-Method": "POST",
        },
        timeout=10,
    )
    assert told.status_code == 405
    answers = (told, get(worker, "/labels/", headers={**bearer(READ), "Origin": "http://x"}))
    for each in answers:
        assert not [name for name in each.headers if name.lower().startswith("access-control")]


def test_one_client_sends_no_more_than_the_rate(worker: Worker) -> None:
    def refused() -> bool:
        told = post(worker, headers=bearer(SEND))
        assert told.status_code in (202, 429)
        return told.status_code == 429

    wait_until(refused, "too many")
    told = post(worker, headers=bearer(SEND))
    assert told.status_code == 429
    assert told.json()["title"] == "Too Many Requests"
    assert 1 <= int(told.headers["Retry-After"]) <= 2
    infer = post(worker, "/v2/models/catdog/infer", headers=bearer(SEND))
    assert infer.status_code == 429
    assert infer.json().keys() == {"error"}
    wait_until(lambda: post(worker, headers=bearer(SEND)).status_code == 202, "the next one")


def test_a_host_that_is_not_ours_sends_nothing(worker: Worker) -> None:
    told = post(worker, headers={**bearer(SEND), "Host": "evil.example.org"})
    assert told.status_code == 421
    assert told.headers["Content-Type"] == "application/problem+json"


@pytest.mark.usefixtures("worker")
def test_workers_with_a_token_still_answer_for_each_other(start_worker: StartWorker) -> None:
    other = start_worker(LOOKING, SETTINGS)

    def workers() -> dict[str, int]:
        return dict(get(other, "/labels/", headers=bearer(READ)).json()["workers"])

    wait_until(lambda: workers() == {"asked": 2, "answered": 2}, "both to answer", PATIENCE)


def test_labels_flow_while_packed_bodies_come_in_number(worker: Worker) -> None:
    server = Server(worker.port)
    usual = max(server.probe() for _ in range(20))
    body = bomb(GIGABYTE)
    authorized = f"Host: HOST\r\nAuthorization: Bearer {SEND}"
    attacks = [
        (f"{line}\r\nContent-Type: image/png\r\nContent-Encoding: gzip", body)
        for line in (
            "POST /images/ HTTP/1.1\r\nHost: HOST",
            f"POST /images/ HTTP/1.1\r\n{authorized}",
            f"POST /nothing HTTP/1.1\r\n{authorized}",
            "POST /images/ HTTP/1.1\r\nHost: evil.example.org",
        )
    ]
    with ThreadPoolExecutor(1) as pool:
        labelled = pool.submit(label_of_a_picture, worker)
        slowest = 0.0
        while not labelled.done():
            slowest = max(slowest, server.slowest_probe(attacks * 3))
    assert labelled.result() == "cat"
    assert slowest < max(PROBE_SECONDS, 5 * usual), usual


def label_of_a_picture(worker: Worker) -> str:
    """Send a picture as soon as the rate allows, and return its verdict."""

    def answered() -> bool:
        told = post(worker, headers={**bearer(SEND), "Prefer": "wait=20"})
        verdicts.append(told.json().get("verdict"))
        return told.status_code == 200

    verdicts: list[str] = []
    wait_until(answered, "a label", PATIENCE)
    return verdicts[-1]


def test_no_log_has_a_token(worker: Worker) -> None:
    log = worker.log.read_text()
    assert READ not in log
    assert SEND not in log


def test_sending_can_be_switched_off(start_worker: StartWorker) -> None:
    worker = start_worker(LOOKING, {"CATDOG_WEB_SEND": "off"})
    told = post(worker)
    assert told.status_code == 403
    assert "CATDOG_WEB_SEND" in told.json()["detail"]
    assert post(worker, "/v2/models/catdog/infer").status_code == 403
    assert get(worker, "/v2/models/catdog").status_code == 200
    assert json.loads(get(worker, "/rejected/").content)["total"] >= 0
