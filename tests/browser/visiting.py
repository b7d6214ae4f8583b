"""Visit of a page, during which no error may occur in the browser."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

T = TypeVar("T")

#: Milliseconds that the browser waits for an expected state; a busy machine may need them.
PATIENCE_MS = 30_000.0
PHONE = {"width": 390, "height": 844}
SMALL_PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
WALL = {"width": 1920, "height": 1080}
#: Rules of WCAG 2.2 at level AA.
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


class Visit:
    """Window that shows the page at an address.

    Args:
        options: Playwright's options of a browser context.
    """

    def __init__(self, browser: Browser, address: str, options: dict[str, Any]) -> None:
        # Text that fades in has low contrast meanwhile, and a test would report it.
        known = {"viewport": DESK, "reduced_motion": "reduce"}
        self._context = browser.new_context(**{**known, **options})
        self._context.set_default_timeout(PATIENCE_MS)
        self.address = address
        self.page: Page = self._context.new_page()
        #: Errors of the browser that the test expects, by a part of their text.
        self.expected: tuple[str, ...] = ()
        self._complaints: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self._complaints.append(f"error: {error}"))
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if "Failed to load resource" in message.text:
            return  # reported with its address below
        if message.type in ("error", "warning"):
            self._complaints.append(f"{message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "blob:", "data:")):
            self._complaints.append(f"a request to another host: {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self._complaints.append(f"status {response.status}: {response.url}")

    def text(self, selector: str = "body") -> str:
        """Return the visible text of the selected element."""
        return self.page.locator(selector).inner_text()

    def faults(self) -> list[str]:
        """Return the barriers to using the page, by the rules of WCAG at level AA."""
        found = Axe().run(self.page, options={"runOnly": list(RULES)})
        return [
            f"{each['id']}: {each['help']} {[node['target'] for node in each['nodes']]}"
            for each in found.response["violations"]
        ]

    def overflow(self) -> int:
        """Return the number of pixels by which the page is wider than its window."""
        width: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return width

    def __enter__(self) -> Self:
        self.page.goto(self.address)
        return self

    def __exit__(
        self,
        error: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._context.close()
        if error is None:
            unexpected = [
                each for each in self._complaints if not any(part in each for part in self.expected)
            ]
            assert not unexpected, unexpected


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in another thread: this one runs the browser's loop."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, coroutine).result()
