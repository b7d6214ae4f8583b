"""Tests of the page's health line: overload, workers that leave, and a stream without answers."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from playwright.sync_api import expect

from catdog_stream.testing import Worker
from catdog_stream.testing.waiting import wait_until
from tests.browser.visiting import Visit
from tests.support.client import Client, Message, request
from tests.support.metrics import samples
from tests.support.pictures import LOOKING, RED

pytestmark = [pytest.mark.integration, pytest.mark.browser, pytest.mark.long]

ARRIVING, ANSWERED = 30, 12
PARTITIONS = 8
NOTICED_MS = 40_000
#: Seconds: Kafka accepts no timestamp more than an hour ahead.
AHEAD, AGO = 3000, 3 * 86_400
BEHIND = re.compile(
    r"Falling behind: (2[5-9]|3[0-5])/s arrive, (1[0-3]|9\.\d)/s answered, [\d,]+ waiting"
)


@pytest.fixture(scope="module")
def slow(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Yield a worker that answers ``ANSWERED`` requests a second."""
    settings = {"CATDOG_TEST_RATE": str(ANSWERED)}
    folder = tmp_path_factory.mktemp("slow")
    module = "tests.support.slow_worker"
    with Worker(broker, folder, module=module, settings=settings) as worker:
        yield worker.wait_ready()


@contextmanager
def overload(address: str) -> Iterator[None]:
    """Send ``ARRIVING`` requests a second, some with impossible times."""
    enough = Event()
    body = request(RED)

    async def send() -> None:
        async with Client(address) as client:
            loop = asyncio.get_running_loop()
            began, sent = loop.time(), 0
            while not enough.is_set():
                due = int((loop.time() - began) * ARRIVING)
                stated = [None, None, time.time() + AHEAD, time.time() - AGO]
                await client.send(
                    Message(
                        body,
                        partition=number % PARTITIONS,
                        timestamp_ms=None if (at := stated[number % 4]) is None else int(1000 * at),
                    )
                    for number in range(sent, due)
                )
                sent = due
                await asyncio.sleep(0.1)

    thread = Thread(target=lambda: asyncio.run(send()))
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def health(worker: Worker, cause: str) -> float:
    """Return the state of one cause, as a worker exports it."""
    return sum(value for of, value in samples(worker.port, "catdog_health") if of["cause"] == cause)


def test_a_planned_stop_is_told_from_a_loss(
    visit: Callable[..., Visit], slow: Worker, broker: str, tmp_path: Path
) -> None:
    it = visit(f"http://127.0.0.1:{slow.port}/")
    line, notices = it.page.locator("#health .state"), it.page.locator("#notices")
    expect(line).to_have_class("state ok")
    with Worker(broker, tmp_path, module=LOOKING) as other:
        other.wait_ready()
        expect(it.page.locator("#workers")).to_contain_text(f":{other.port}")
        assert other.terminate() == 0
        expect(notices).to_contain_text(
            f":{other.port} was stopped as planned; 1 worker remains.", timeout=NOTICED_MS
        )
        expect(line).to_have_class("state ok")
        expect(it.page).to_have_title(re.compile("^[^⚠✕]*$"))
        assert "warnings" not in slow.get("/readyz")
        assert health(slow, "worker_left") == 1

        other.start().wait_ready()
        expect(notices).not_to_contain_text("stopped as planned")
        expect(it.page.locator("#workers .pill.good")).to_have_count(2)
        other.kill()
        expect(line).to_contain_text(f":{other.port} is lost", timeout=NOTICED_MS)
        expect(line).to_have_class("state warning")
        expect(it.page).to_have_title(re.compile("^⚠ A worker is lost · "))
        expect(it.page.locator("#icon")).to_have_attribute("href", re.compile("icon-warning.svg"))
        expect(it.page.get_by_role("alert")).to_contain_text(f"lost: 127.0.0.1:{other.port}")
        wait_until(lambda: "is lost" in str(slow.get("/readyz").get("warnings")), "the warning")
        assert health(slow, "worker_lost") == 2
    assert it.faults() == []


def test_overload_is_seen_at_first_sight_and_times_include_the_wait(
    visit: Callable[..., Visit], slow: Worker, broker: str
) -> None:
    it = visit(f"http://127.0.0.1:{slow.port}/")
    line, page = it.page.locator("#health .state"), it.page
    with overload(broker):
        expect(line).to_contain_text(BEHIND, timeout=NOTICED_MS)
        expect(line).to_have_class("state warning")
        expect(page).to_have_title(re.compile(r"^⚠ Falling behind · [\d,]+ pictures"))
        tile = page.locator(".tiles div", has_text="arriving/s").locator("dd")
        expect(tile).to_have_text(re.compile(r"(2[5-9]|3[0-5])\.\d"))
        assert "Falling behind" in str(slow.get("/readyz")["warnings"])
        assert slow.status("/readyz") == 200
        assert health(slow, "falling_behind") == 2
        rates = slow.get("/labels/")["rates"]
        assert rates["arriving"] == pytest.approx(ARRIVING, rel=0.2)
        assert rates["answered"] == pytest.approx(ANSWERED, rel=0.25)
        seconds = re.compile(r"an answer takes ([5-9]\.\d|[1-4]\d) s")
        expect(line).to_contain_text(seconds, timeout=NOTICED_MS)
        print(line.inner_text())
    expect(page.locator(".state.info", has_text="Catching up")).to_be_visible(timeout=NOTICED_MS)
    assert it.faults() == []


def test_numbers_that_nobody_brings_up_to_date_look_old(
    visit: Callable[..., Visit], slow: Worker
) -> None:
    it = visit(f"http://127.0.0.1:{slow.port}/")
    it.expected = ("ERR_", "status 503")
    page, stale = it.page, it.page.locator("#stale")
    expect(page.locator("#status")).to_have_attribute("data-state", "live")
    expect(stale).to_be_hidden()
    slow.pause()
    try:
        expect(stale).to_contain_text("Not live: the worker of this page does not answer")
        expect(stale).to_contain_text(re.compile(r"as of .*\d+:\d\d:\d\d.*, \d+ s ago"))
        expect(page).to_have_title(re.compile("^✕ Not live · "))
        expect(page.locator("#icon")).to_have_attribute("href", re.compile("icon-stale.svg"))
        expect(page.locator("#health")).to_be_hidden()
        assert page.locator("#labels").evaluate("each => getComputedStyle(each).filter") == (
            "grayscale(1)"
        )
        assert it.overflow() == 0
    finally:
        slow.resume()
    expect(stale).to_be_hidden()
    expect(page).to_have_title(re.compile("^(?!✕)"))
    assert it.faults() == []
