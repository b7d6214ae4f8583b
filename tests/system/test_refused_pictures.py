"""Test of a picture that its topic refuses: HTTP returns an error, and other pictures succeed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from catdog_stream.testing import Worker
from tests.support.configured import configured
from tests.support.names import REQUESTS
from tests.support.pictures import RED, noise

pytestmark = [pytest.mark.integration, pytest.mark.long]

WAIT = {"Content-Type": "image/png", "Prefer": "wait=20"}


def test_too_large_for_the_topic_is_413_and_those_around_it_are_answered(
    broker_address: str, looking: Worker
) -> None:
    address = f"http://127.0.0.1:{looking.port}"

    def post(data: bytes) -> requests.Response:
        return requests.post(f"{address}/images/", data, headers=WAIT, timeout=60)

    with configured(broker_address, REQUESTS, max_message_bytes=1_000_000):
        with ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(post, [RED, RED, noise(2_000_000), RED] * 6))
        statuses = [answer.status_code for answer in answers]
        assert statuses == [200, 200, 413, 200] * 6
        assert "max.message.bytes" in answers[2].json()["detail"]
        assert "Retry-After" not in answers[2].headers
        assert post(noise(2_000_000)).status_code == 413
        (warning,) = looking.get("/readyz")["warnings"]
        assert REQUESTS in warning
        assert "max.message.bytes" in warning
    assert post(noise(2_000_000)).status_code == 200
    assert "warnings" not in looking.get("/readyz")
