"""Test of a group member that states another server's address: workers do not connect there."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE, Worker
from tests.support.pictures import LOOKING

pytestmark = [pytest.mark.integration, pytest.mark.long]

READ_TOKEN = "of-those-who-read"


class Victim(ThreadingHTTPServer):
    """Server of another application on this machine, which records its requests."""

    def __init__(self) -> None:
        asked = self.asked = list[tuple[str, str]]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, self.headers.get("Authorization", "")))
                self.send_error(404)

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def victim() -> Iterator[Victim]:
    with Victim() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_no_path_of_its_choice_is_asked_for_and_no_token_is_sent(
    broker_address: str, tmp_path: Path, victim: Victim
) -> None:
    settings = {"CATDOG_WEB_READ_TOKEN": READ_TOKEN}
    place = f"127.0.0.1:{victim.server_port}"
    rogue = {**settings, "WEB_HOST": f"{place}/latest/meta-data/?"}
    with (
        Worker(broker_address, tmp_path, module=LOOKING, settings=settings) as worker,
        Worker(broker_address, tmp_path, module=LOOKING, settings=settings) as friend,
        Worker(broker_address, tmp_path, module=LOOKING, settings=rogue) as other,
    ):
        for each in (worker, friend, other):
            each.wait_ready()

        def asked() -> object:
            return requests.get(
                f"http://127.0.0.1:{worker.port}/labels/",
                headers={"Authorization": f"Bearer {READ_TOKEN}"},
                timeout=20,
            ).json()["workers"]

        wait_until(lambda: asked() == {"asked": 3, "answered": 2}, "all to be known", PATIENCE)
        assert "is no address of a worker" in worker.log.read_text()
        assert victim.asked == []
