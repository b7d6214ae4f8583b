"""Tests of the page as a visitor sees it: live numbers, in any window, without disturbance."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from catdog_stream.testing import Worker
from catdog_stream.testing.waiting import wait_until
from tests.browser.stream import flow, flowing
from tests.browser.visiting import DESK, PHONE, SMALL_PHONE, WALL, Visit, run
from tests.support.client import Client, request
from tests.support.pictures import BLUE, LOOKING, RED

pytestmark = [pytest.mark.integration, pytest.mark.browser]

#: Hides the page, as another tab in front does; in a headless browser all pages are visible.
HIDDEN = """(hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
LOADED = """[...document.querySelectorAll("#pictures img")].every(
    image => image.complete && image.naturalWidth > 0)"""
MANY = re.compile(r"^[1-9][\d,]*$")


def test_an_empty_stream_shows_how_to_send_the_first_pictures(
    see: Callable[..., Visit], broker: str
) -> None:
    it = see()
    expect(it.page.locator("#status")).to_have_attribute("data-state", "live")
    assert "No picture has been classified yet." in it.text("#summary")
    assert it.faults() == []
    sent = subprocess.run(
        it.text("#summary .empty code"),
        shell=True,
        env={**os.environ, "CATDOG_BROKER": f"kafka://{broker}"},
        check=False,
    )
    assert sent.returncode == 0
    expect(it.page.locator("#summary .total strong")).to_have_text("3")


def test_numbers_move_while_pictures_flow(see: Callable[..., Visit], broker: str) -> None:
    it = see()
    page = it.page
    with flowing(broker):
        total = page.locator("#summary .total strong")
        expect(total).to_have_text(MANY)
        before = int(total.inner_text().replace(",", ""))
        wait_until(
            lambda: int(total.inner_text().replace(",", "")) > before + 5, "the total to grow"
        )
        expect(page.locator("#labels tbody th").first).to_have_text(re.compile("cat|dog"))
        expect(page.locator("#pictures li").first).to_contain_text("instant 1")
        wait_until(lambda: bool(page.evaluate(LOADED)), "the pictures to be there")
        expect(page.locator("#rate-chart canvas")).to_be_visible()
        expect(page).to_have_title(re.compile(r"[\d,]+ pictures classified$"))
    assert it.faults() == []


def test_without_a_script_the_numbers_are_there(see: Callable[..., Visit]) -> None:
    it = see(java_script_enabled=False)
    assert MANY.match(it.text("#summary .total strong"))
    assert "cat" in it.text("#labels")
    assert "Renewed every 5 s" in it.text("#status")
    assert not it.page.locator("#try").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK, WALL], ids=["phone", "desk", "wall"])
def test_it_fits_the_window_and_everybody_can_read_it(
    see: Callable[..., Visit], broker: str, scheme: str, size: dict[str, int]
) -> None:
    run(flow(broker, [b"{", request(RED), request(BLUE), request(b"nothing")]))
    it = see(color_scheme=scheme, viewport=size)
    expect(it.page.locator("#status")).to_have_attribute("data-state", "live")
    expect(it.page.locator("#rejected")).to_contain_text("not_json")
    assert it.overflow() == 0
    assert it.faults() == []


#: Sums up the browser's layout shifts: elements that move to another place.
SHIFTS = """() => {
    window.shifts = 0;
    new PerformanceObserver((list) => {
        for (const { value } of list.getEntries()) window.shifts += value;
    }).observe({ type: "layout-shift" });
}"""
#: Elements that are wider than their section, unless they can be scrolled.
WIDER = """[...document.querySelectorAll("main > section *:not(.unseen)")].filter((part) => {
    const section = part.closest("main > section").getBoundingClientRect();
    const box = part.getBoundingClientRect();
    return box.width > 0 && !part.closest(".scroll") && !part.closest("svg")
        && (box.right > section.right || box.left < section.left);
}).map((part) => part.outerHTML.slice(0, 100))"""
#: Transitions, and endless animations, which cost as much as the rest of the page.
MOVING = """document.getAnimations().filter((each) => each instanceof CSSTransition
    || each.effect.getTiming().iterations === Infinity).length"""
LONG = "Abcdefghijklmnopqrstuvwxyzabcdef"


@pytest.mark.long
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_moves_while_pictures_flow_however_long_a_label_is(
    see: Callable[..., Visit], broker: str, width: int
) -> None:
    async def label() -> None:
        async with Client(broker) as client:
            headers = [("verdict", LONG.encode())]
            await client.producer.send_and_wait("catdoglabel", b"{}", headers=headers)

    run(label())
    it = see(viewport={"width": width, "height": 900}, reduced_motion="no-preference")
    page, seconds = it.page, 5
    with flowing(broker):
        expect(page.locator("#pictures li")).to_have_count(12)
        expect(page.locator("#labels")).to_contain_text(LONG)
        expect(page.locator("#rate-chart canvas")).to_be_visible()
        expect(page.locator("#pictures li", has_text="another program")).to_have_count(0)
        page.evaluate(SHIFTS)
        for _ in range(seconds):
            page.wait_for_timeout(1000)
            assert page.evaluate(MOVING) == 0
        assert page.evaluate("window.shifts") / seconds <= 0.05
    assert page.evaluate(WIDER) == []
    assert it.overflow() == 0


#: Draws a chart of one row, and counts the pixels in the color of the line.
ONE_ROW = """async () => {
    const base = document.querySelector("script[src$='page.js']").src;
    const { Charts } = await import(new URL("charts.js", base));
    const places = [0, 1].map(
        () => document.getElementById("rate").appendChild(document.createElement("div")));
    const charts = new Charts(...places);
    charts.step = 10;
    charts.rows = [[1700000000, [30], 0, 0.02, 0.03]];
    charts.setLabels(["cat"], ["c0"]);
    charts.draw(false);
    await new Promise((done) => setTimeout(done, 200));
    return places.map((place) => {
        const canvas = place.querySelector("canvas");
        const { width, height } = canvas;
        const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
        let drawn = 0;
        for (let at = 0; at < pixels.length; at += 4) {
            const color = pixels.slice(at, at + 3);
            const isGray = Math.max(...color) - Math.min(...color) < 60;
            if (pixels[at + 3] > 200 && !isGray) drawn += 1;
        }
        place.remove();
        return drawn;
    });
}"""


def test_a_chart_of_one_point_shows_it(see: Callable[..., Visit]) -> None:
    it = see()
    expect(it.page.locator("#status")).to_have_attribute("data-state", "live")
    rate, _latency = it.page.evaluate(ONE_ROW)
    assert rate > 10


def test_the_keyboard_reaches_everything_and_shows_where_it_is(see: Callable[..., Visit]) -> None:
    it = see()
    it.page.keyboard.press("Tab")
    focused = it.page.locator(":focus")
    expect(focused).to_have_text("Skip to the numbers")
    expect(focused).to_be_visible()
    focused.press("Enter")
    assert it.page.evaluate("location.hash") == "#main"


def test_it_can_be_paused(see: Callable[..., Visit], broker: str) -> None:
    it = see()
    total, pause = it.page.locator("#summary .total strong"), it.page.locator("#pause")
    with flowing(broker):
        pause.click()
        expect(it.page.locator("#status")).to_have_text("Paused")
        before = total.inner_text()
        assert_stays(lambda: total.inner_text() == before)
        pause.click()
        expect(it.page.locator("#status")).to_have_text("Live")
        expect(total).not_to_have_text(before)


def assert_stays(condition: Callable[[], bool]) -> None:
    """Check that the condition holds for longer than the page takes to refresh."""
    end = time.monotonic() + 3
    while time.monotonic() < end:
        assert condition()


def test_a_reload_never_leaves_a_page_that_stands_still(
    see: Callable[..., Visit], broker: str
) -> None:
    it = see()
    total = it.page.locator("#summary .total strong")
    with flowing(broker):
        for _ in range(5):
            it.page.reload()
            before = total.inner_text()
            expect(total).not_to_have_text(before)


def test_a_page_that_nobody_sees_keeps_no_connection(see: Callable[..., Visit]) -> None:
    it = see()
    for _ in range(8):  # a browser has six connections for all tabs
        page = it.page.context.new_page()
        page.goto(it.address)
        expect(page.locator("#status")).to_have_attribute("data-state", "live")
        page.evaluate(HIDDEN, arg=True)
    # A tab in the background keeps its last values, and states their time.
    expect(page).to_have_title(re.compile(r"^\d{1,2}:\d\d.* · .*classified"))
    expect(page.locator("#icon")).to_have_attribute("href", re.compile("stale"))
    page.evaluate(HIDDEN, arg=False)
    expect(page.locator("#status")).to_have_attribute("data-state", "live")
    expect(page).not_to_have_title(re.compile(r"^\d{1,2}:"))


def test_whatever_stands_in_the_stream_stays_text(see: Callable[..., Visit], broker: str) -> None:
    nasty = '"><img src=x onerror="document.title=\'broken\'">'
    run(
        flow(
            broker,
            [
                request(RED, url="javascript:alert(1)"),
                request(RED, url=nasty),
                request(RED, url="</script><script>document.title='broken'</script>"),
                b'{"url": null, "data": null}',
            ],
        )
    )
    it = see()
    expect(it.page.locator("#pictures")).to_contain_text("javascript:alert(1)")
    assert it.page.locator("#pictures a").count() == 0
    assert it.page.locator("img[src=x]").count() == 0
    expect(it.page).to_have_title(re.compile("classified"))


def test_labels_of_other_programs_are_seen_as_well(see: Callable[..., Visit], broker: str) -> None:
    async def write() -> None:
        async with Client(broker) as client:
            for url in ('"https://example.org/else"', "null", "[7]"):
                text = f'{{"label": "Probabilities: cat 1.0% dog 99.0%", "url": {url}}}'
                await client.producer.send_and_wait("catdoglabel", text.encode())

    it = see()
    run(write())
    theirs = it.page.locator("#pictures li", has_text="another program")
    expect(theirs).not_to_have_count(0)
    expect(theirs.first).to_contain_text("dog")
    assert it.faults() == []


def test_no_script_or_style_of_a_page_may_stand_in_it(see: Callable[..., Visit]) -> None:
    it = see()
    it.expected = ("Content Security Policy",)
    ran = it.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            return window.ran === true;
        }"""
    )
    assert not ran


@pytest.mark.long
def test_the_page_comes_back_when_its_worker_does(
    visit: Callable[..., Visit], broker: str, tmp_path: Path
) -> None:
    with Worker(broker, tmp_path, module=LOOKING) as worker:
        worker.wait_ready()
        it = visit(f"http://127.0.0.1:{worker.port}/", viewport=SMALL_PHONE)
        it.expected = ("ERR_", "status 503")
        status = it.page.locator("#status")
        expect(status).to_have_attribute("data-state", "live")
        height = it.page.locator("header").bounding_box()
        worker.kill()
        expect(status).to_have_attribute("data-state", "reconnecting")
        expect(status).to_contain_text("last heard")
        assert it.overflow() == 0
        assert it.page.locator("header").bounding_box() == height, "the page jumps"
        worker.start().wait_ready()
        expect(status).to_have_attribute("data-state", "live")
        worker.pause()
        try:
            expect(status).to_have_attribute("data-state", "reconnecting")
        finally:
            worker.resume()
        expect(status).to_have_attribute("data-state", "live")


def row_of(it: Visit, worker: Worker) -> Locator:
    """Return the page's row of a worker; workers of earlier tests may have rows, too."""
    return it.page.locator(f'#workers tr[data-key="http://127.0.0.1:{worker.port}"]')


@pytest.mark.long
def test_a_frozen_worker_and_a_killed_one_keep_nobody_waiting(
    visit: Callable[..., Visit], worker: Worker, broker: str, tmp_path: Path
) -> None:
    with Worker(broker, tmp_path, module=LOOKING) as other:
        other.wait_ready()
        it = visit(f"http://127.0.0.1:{worker.port}/")
        expect(row_of(it, other).locator(".pill.good")).to_be_visible()
        total = it.text("#summary .total strong")
        other.pause()
        expect(it.page.locator("#health")).to_contain_text(
            f":{other.port} does not answer (1 of 2 workers)"
        )
        alarm = it.page.get_by_role("alert")
        expect(alarm).to_contain_text(f"does not answer: 127.0.0.1:{other.port}.")
        began = it.page.evaluate("performance.now()")
        it.page.reload()
        assert it.page.evaluate("performance.now()") - began < 3000
        assert it.text("#summary .total strong") == total
        other.resume()
        expect(it.page.locator("#health")).not_to_contain_text("does not answer")
        expect(alarm).not_to_contain_text("does not answer")
        expect(row_of(it, other).locator(".pill.good")).to_be_visible()
        other.kill()
        expect(row_of(it, other)).to_contain_text(re.compile("does not answer|lost"))
        expect(alarm).to_contain_text(f"127.0.0.1:{other.port}")
        assert it.text("#summary .total strong") == total


#: Records each decrease of the total on the page.
WATCH = """() => {
  const told = () => Number(
    document.querySelector("#summary .total strong").textContent.replaceAll(",", ""));
  let last = told();
  window.falls = [];
  new MutationObserver(() => {
    if (told() < last) window.falls.push([last, told()]);
    last = told();
  }).observe(document.querySelector("#summary"),
             {subtree: true, childList: true, characterData: true});
}"""


@pytest.mark.long
def test_numbers_never_go_back_while_workers_come_and_go(
    see: Callable[..., Visit], broker: str, tmp_path: Path
) -> None:
    run(flow(broker, [request(RED), request(BLUE)] * 10))
    it = see()
    expect(it.page.locator("#status")).to_have_attribute("data-state", "live")
    it.page.evaluate(WATCH)
    with Worker(broker, tmp_path, module=LOOKING) as other:
        other.wait_ready()
        expect(row_of(it, other).locator(".pill.good")).to_be_visible()
        run(flow(broker, [request(RED), request(BLUE)] * 10))
        other.kill()
        run(flow(broker, [request(RED), request(BLUE)] * 10))
        expect(it.page.locator("#notices")).not_to_contain_text("taking over")
    assert it.page.evaluate("window.falls") == []
