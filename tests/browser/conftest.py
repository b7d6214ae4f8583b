"""Fixtures with a real browser, in which a page may cause no error: see ``Visit``."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from catdog_stream.testing import Worker, own_broker
from tests.browser.visiting import PATIENCE_MS, Visit
from tests.support.pictures import LOOKING

#: Names of the program, Debian's first.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = (
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # The browser must send requests only to the page's worker.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


# While the browser runs, no other event loop can run in this thread: it must not outlive a module.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield headless Chromium; without it the tests are skipped. ``.ci/run`` installs it."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("There is no Chromium: apt install chromium.")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Yield a function that opens windows; an error in a window fails the test at its end."""
    with ExitStack() as stack:

        def begin(address: str, **options: Any) -> Visit:
            return stack.enter_context(Visit(browser, address, options))

        yield begin


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a broker that is empty at first."""
    with own_broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker.address


@pytest.fixture(scope="module")
def worker(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Yield a worker that classifies pictures only by their color."""
    with Worker(broker, tmp_path_factory.mktemp("worker"), module=LOOKING) as worker:
        yield worker.wait_ready()


@pytest.fixture
def see(visit: Callable[..., Visit], worker: Worker) -> Callable[..., Visit]:
    """Return a function that opens the page in a new window."""
    return lambda **options: visit(f"http://127.0.0.1:{worker.port}/", **options)
