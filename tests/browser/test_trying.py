"""Tests of the upload form: each picture passes the stream, and its answer appears beside it."""

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from catdog_stream.testing import Worker
from tests.browser.visiting import PHONE, Visit
from tests.support.pictures import HEIC, LOOKING, colored

pytestmark = [pytest.mark.integration, pytest.mark.browser]

TOKEN = "only-for-those-who-know"

#: Puts files into an event, as dropping and pasting do.
GIVE = """([kind, files]) => {
    const data = new DataTransfer();
    for (const [name, type, base64] of files) {
        const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
        data.items.add(new File([bytes], name, { type }));
    }
    const event = kind === "paste"
        ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
        : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
    document.getElementById("drop").dispatchEvent(event);
}"""
#: Puts a text into an event, as dragging a link and pasting do.
SAY = """([kind, text]) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    const isLink = kind === "drop" && text.includes("://");
    if (isLink) data.setData("text/uri-list", `# a link\\r\\n${text}`);
    const event = kind === "paste"
        ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
        : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
    document.getElementById("drop").dispatchEvent(event);
}"""
SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64">
<rect width="64" height="64" fill="rgb(200,40,40)"/></svg>"""


def payload(name: str, kind: str, content: bytes) -> Any:
    """Return a file in the form in which Playwright chooses it."""
    return {"name": name, "mimeType": kind, "buffer": content}


def give(it: Visit, kind: str, *files: tuple[str, str, bytes]) -> None:
    """Drop files, or paste them."""
    known = [[name, type_, base64.b64encode(data).decode()] for name, type_, data in files]
    it.page.evaluate(GIVE, [kind, known])


def say(it: Visit, kind: str, text: str) -> None:
    """Drop a text, or paste it."""
    it.page.evaluate(SAY, [kind, text])


def tries(it: Visit) -> Locator:
    """Return the tried pictures, the latest first."""
    return it.page.locator("#tries li")


def test_chosen_pictures_get_their_answers_beside_them(see: Callable[..., Visit]) -> None:
    it = see()
    it.page.locator("#try-files").set_input_files(
        [
            payload("tom.jpg", "image/jpeg", colored("red", "JPEG")),
            payload("rex.png", "image/png", colored("blue", "PNG")),
        ]
    )
    expect(tries(it)).to_have_count(2)
    verdicts = tries(it).locator(".verdict")
    expect(verdicts.first).to_have_text("dog")
    expect(verdicts.last).to_have_text("cat")
    expect(tries(it).first.locator(".told")).to_contain_text("instant 1")
    expect(it.page.locator("#try-said")).to_contain_text(re.compile("cat|dog"))
    # It passed the stream: every page shows it.
    expect(it.page.locator("#pictures li")).to_have_count(2)
    expect(it.page.locator("#summary .total strong")).to_have_text("2")
    assert it.faults() == []


def test_dropped_and_pasted_pictures_are_taken_as_well(see: Callable[..., Visit]) -> None:
    it = see()
    give(it, "drop", ("tom.webp", "image/webp", colored("red", "WEBP")))
    expect(tries(it).first.locator(".verdict")).to_have_text("cat")
    give(it, "paste", ("", "image/png", colored("blue", "PNG")))
    expect(tries(it).first.locator(".verdict")).to_have_text("dog")


def test_what_a_browser_shows_and_the_stream_does_not_read_is_converted(
    see: Callable[..., Visit],
) -> None:
    it = see()
    give(it, "drop", ("tom.svg", "image/svg+xml", SVG))
    expect(tries(it).first.locator(".verdict")).to_have_text("cat")


def test_what_no_browser_shows_the_worker_converts(see: Callable[..., Visit]) -> None:
    it = see()
    give(it, "drop", ("tom.tiff", "image/tiff", colored("red", "TIFF")))
    expect(tries(it).first.locator(".verdict")).to_have_text("cat")


def test_what_is_no_picture_has_its_word_and_is_not_sent(see: Callable[..., Visit]) -> None:
    it = see()
    give(it, "drop", ("notes.txt", "text/plain", b"no picture"), ("empty.png", "image/png", b""))
    expect(tries(it)).to_have_count(2)
    expect(tries(it).first).to_contain_text("The file is empty.")
    expect(tries(it).last).to_contain_text("The file is not a picture.")


def test_a_rejected_picture_has_its_reason(see: Callable[..., Visit]) -> None:
    it = see()
    give(it, "drop", ("broken.jpg", "image/jpeg", colored("red", "JPEG")[:300]))
    expect(tries(it).first.locator(".verdict")).to_have_text("rejected")
    expect(tries(it).first.locator(".told")).to_contain_text("damaged_image")
    assert it.faults() == []


def test_all_results_of_a_session_stay_with_a_line_about_them(see: Callable[..., Visit]) -> None:
    it = see()
    jpeg = colored("red", "JPEG")
    give(it, "drop", *[(f"{number}.jpg", "image/jpeg", jpeg) for number in range(20)])
    give(it, "drop", ("notes.txt", "text/plain", b"no picture"))
    expect(tries(it)).to_have_count(21)
    expect(it.page.locator("#try-line")).to_have_text("21 pictures: 20 cat, 1 no picture.")
    expect(it.page.locator("#try-said")).to_have_text("21 pictures: 20 cat, 1 no picture.")
    expect(it.page.locator("#try-again")).to_be_hidden()
    tries(it).last.scroll_into_view_if_needed()
    expect(tries(it).last).to_be_in_viewport()
    assert it.faults() == []


def test_results_are_bounded_and_none_in_work_is_lost(see: Callable[..., Visit]) -> None:
    it = see()
    it.page.route("**/images/", lambda route: route.fulfill(status=400, body="{}"))
    it.expected = ("status 400",)
    empty = [(f"{number}.png", "image/png", b"") for number in range(310)]
    give(it, "drop", *empty)
    expect(it.page.locator("#try-note")).to_contain_text("the last 10 were not taken")
    expect(it.page.locator("#try-line")).to_have_text("300 pictures: 300 no picture.")
    give(it, "drop", ("new.png", "image/png", b""))
    expect(tries(it).first).to_contain_text("new.png")
    expect(tries(it)).to_have_count(300)


def test_what_failed_can_be_tried_again(see: Callable[..., Visit]) -> None:
    it = see()
    it.expected = ("status 503",)
    away = {"status": 503, "content_type": "application/json", "body": '{"detail": "Away."}'}
    it.page.route("**/images/", lambda route: route.fulfill(**away))
    red = colored("red", "JPEG")
    give(it, "drop", ("tom.jpg", "image/jpeg", red), ("ann.jpg", "image/jpeg", red))
    expect(it.page.locator("#try-line")).to_have_text("2 pictures: 2 not classified.")
    expect(tries(it).first).to_contain_text("Away.")
    it.page.unroute("**/images/")
    tries(it).first.get_by_role("button", name="Try ann.jpg again").click()
    expect(tries(it).first.locator(".verdict")).to_have_text("cat")
    it.page.get_by_role("button", name="Try 1 again", exact=True).click()
    expect(it.page.locator("#try-line")).to_have_text("2 pictures: 2 cat.")
    expect(tries(it).get_by_role("button")).to_have_count(0)
    assert it.faults() == []


ANSWERS: list[tuple[dict[str, Any], str, bool]] = [
    (
        {
            "status": "labelled",
            "verdict": "unknown",
            "scores": {"cat": 0.004, "dog": 0.996},
            "stack": "pets 1",
        },
        "The picture is like none of the classes that the stack was trained on. "
        "Of these alone: dog 99.6%, cat 0.4% · pets 1",
        False,
    ),
    ({"status": "rejected", "reason": "timeout", "detail": "Slow."}, "timeout: Slow.", True),
    (
        {"status": "rejected", "reason": "damaged_image", "detail": "<b>"},
        "damaged_image: <b>",
        False,
    ),
]


@pytest.mark.parametrize(("answer", "told", "retried"), ANSWERS)
def test_an_answer_says_why_and_whether_a_further_try_can_help(
    see: Callable[..., Visit], answer: dict[str, Any], told: str, retried: bool
) -> None:
    it = see()
    it.page.route("**/images/", lambda route: route.fulfill(json=answer))
    give(it, "drop", ("tom.jpg", "image/jpeg", colored("red", "JPEG")))
    expect(tries(it).first.locator(".told")).to_have_text(told)
    expect(it.page.locator("#try-again")).to_be_visible(visible=retried)


def test_a_heic_is_converted_or_explained(see: Callable[..., Visit]) -> None:
    it = see()
    reads = it.page.locator("#try").get_attribute("data-heic") == "yes"
    give(it, "drop", ("tom.heic", "", HEIC))
    expect(tries(it).first.locator(".verdict")).to_have_text(
        re.compile("cat|dog" if reads else "no picture")
    )
    it.page.evaluate("document.getElementById('try').dataset.heic = 'no'")
    give(it, "drop", ("ann.heic", "image/heic", HEIC))
    expect(tries(it).first.locator(".told")).to_contain_text("catdog-stream[heic]")


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_link_and_a_text_say_what_to_do_instead(see: Callable[..., Visit], kind: str) -> None:
    it = see()
    note = it.page.locator("#try-note")
    say(it, kind, "https://example.org/cat.jpg")
    expect(note).to_contain_text("That is an address, and this worker fetches none.")
    expect(note).to_contain_text("CATDOG_WEB_FETCH")
    assert it.faults() == []
    say(it, kind, "a cat")
    expect(note).to_contain_text("no picture and no address")
    give(it, kind, ("tom.jpg", "image/jpeg", colored("red", "JPEG")))
    expect(note).to_be_hidden()
    expect(tries(it)).to_have_count(1)


def test_a_phone_may_take_a_photograph(see: Callable[..., Visit]) -> None:
    it = see(viewport=PHONE, is_mobile=True, has_touch=True)
    camera = it.page.locator("#try-camera")
    expect(camera).to_be_visible()
    camera.locator("input").set_input_files(
        payload("photo.jpg", "image/jpeg", colored("red", "JPEG"))
    )
    expect(tries(it).first.locator(".verdict")).to_have_text("cat")
    assert it.overflow() == 0


@pytest.mark.long
def test_sending_may_need_a_token_and_may_be_off(
    visit: Callable[..., Visit], broker: str, tmp_path: Path
) -> None:
    settings = {"CATDOG_WEB_SEND_TOKEN": TOKEN}
    with Worker(broker, tmp_path, module=LOOKING, settings=settings) as worker:
        worker.wait_ready()
        it = visit(f"http://127.0.0.1:{worker.port}/")
        it.expected = ("status 401", "status 503")  # the worker ends in this test
        give(it, "drop", ("tom.jpg", "image/jpeg", colored("red", "JPEG")))
        expect(it.page.locator("#token")).to_be_focused()
        it.page.keyboard.type("a wrong one…")
        it.page.keyboard.press("Enter")
        expect(it.page.locator("#token:invalid")).to_have_count(1)
        it.page.locator("#token").fill("not-that-one")
        it.page.keyboard.press("Enter")
        expect(tries(it).first.locator(".told")).to_have_text("The token is not the right one.")
        expect(it.page.locator("#token")).to_be_focused()
        it.page.keyboard.type(TOKEN)
        it.page.keyboard.press("Enter")
        expect(tries(it).first.locator(".verdict")).to_have_text("cat")
        expect(it.page.locator("#try-token")).to_be_hidden()
    with Worker(broker, tmp_path, module=LOOKING, settings={"CATDOG_WEB_SEND": "off"}) as worker:
        worker.wait_ready()
        it = visit(f"http://127.0.0.1:{worker.port}/")
        expect(it.page.locator("#status")).to_have_attribute("data-state", "live")
        expect(it.page.locator("#try")).to_have_count(0)
        it.expected = ("status 503",)


@pytest.mark.long
def test_a_picture_is_classified_by_its_address_where_that_is_allowed(
    visit: Callable[..., Visit], broker: str, tmp_path: Path
) -> None:
    with pictures_at(tmp_path / "www") as port:
        settings = {"CATDOG_WEB_FETCH": "http", "CATDOG_WEB_FETCH_ALLOW": f"127.0.0.1:{port}"}
        with Worker(broker, tmp_path, module=LOOKING, settings=settings) as worker:
            worker.wait_ready()
            it = visit(f"http://127.0.0.1:{worker.port}/")
            it.expected = (
                "status 400",
                "status 403",
                "status 502",
                "status 503",
            )  # the worker ends in this test
            for address, verdict, told in (
                (f"http://127.0.0.1:{port}/tom.jpg", "cat", "instant 1"),
                (f"catdog:http://127.0.0.1:{port}/tom.jpg", "cat", "instant 1"),
                (f"http://127.0.0.1:{port}/notes.txt", "not classified", "text/plain"),
                ("file:///etc/passwd", "not classified", "must begin with https://"),
                ("http://169.254.169.254/", "not classified", ""),
                ("http://localhost:1/", "not classified", ""),
            ):
                it.page.locator("#address").fill(address)
                it.page.keyboard.press("Enter")
                expect(tries(it).first.locator(".verdict")).to_have_text(verdict)
                expect(tries(it).first.locator(".told")).to_contain_text(told)
            assert it.faults() == []
            for kind in ("drop", "paste"):
                say(it, kind, f"http://127.0.0.1:{port}/tom.jpg")
                expect(tries(it).first.locator(".verdict")).to_have_text("cat")


@contextmanager
def pictures_at(folder: Path) -> Iterator[int]:
    """Yield the port of a web server with a picture and a text."""
    folder.mkdir()
    (folder / "tom.jpg").write_bytes(colored("red", "JPEG"))
    (folder / "notes.txt").write_text("no picture")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
