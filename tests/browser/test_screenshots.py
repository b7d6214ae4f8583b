"""Screenshots of the page for the README, of the real system.

``CATDOG_TEST_SCREENSHOTS=docs`` writes them into a folder; otherwise they are checked and deleted.
"""

import io
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from catdog_stream.testing import Worker, own_broker
from tests.browser.visiting import DESK, PHONE, Visit, run
from tests.support.client import Client, request
from tests.support.pictures import sample_files

pytestmark = [pytest.mark.integration, pytest.mark.browser, pytest.mark.long]

SHOWN: dict[str, dict[str, Any]] = {
    "page-light": {"viewport": DESK, "color_scheme": "light"},
    "page-dark": {"viewport": DESK, "color_scheme": "dark"},
    "page-phone-light": {"viewport": PHONE, "color_scheme": "light", "device_scale_factor": 2},
    "page-phone-dark": {"viewport": PHONE, "color_scheme": "dark", "device_scale_factor": 2},
}
PICTURES = 40
URL = "https://example.org/pictures/{}.jpg"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a page with content."""
    folder = tmp_path_factory.mktemp("shown")
    with own_broker(folder / "broker") as broker, Worker(broker.address, folder) as worker:
        worker.wait_ready()
        sent = [request(jpeg, URL.format(number)) for number, jpeg in enumerate(jpegs())]
        run(one_by_one(broker.address, [*sent, b"{", request(b"no picture")]))
        yield f"http://127.0.0.1:{worker.port}/"


async def one_by_one(address: str, values: Iterable[bytes]) -> None:
    """Send requests one by one, so that their times differ and none waits for others."""
    async with Client(address) as client:
        for value in values:
            await client.answers(await client.send([value]))


def jpegs() -> Iterator[bytes]:
    """Yield parts of the samples, every other one mirrored."""
    random = np.random.default_rng(2015)
    files = sample_files()
    for number in range(PICTURES):
        with Image.open(files[number % len(files)]) as opened:
            image = opened.convert("RGB")
        if number % 2:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        share = random.uniform(0.7, 1)
        width, height = (round(share * side) for side in image.size)
        left = int(random.integers(image.width - width + 1))
        top = int(random.integers(image.height - height + 1))
        out = io.BytesIO()
        image.crop((left, top, left + width, top + height)).save(out, "JPEG", quality=90)
        yield out.getvalue()


@pytest.mark.parametrize("name", SHOWN)
def test_the_page_is_worth_a_picture(
    visit: Callable[..., Visit], page: str, tmp_path: Path, name: str
) -> None:
    options = SHOWN[name]
    it = visit(page, **options)
    expect(it.page.locator("#status")).to_have_attribute("data-state", "live")
    expect(it.page.locator("#pictures li")).to_have_count(12)
    expect(it.page.locator("#rate-chart canvas")).to_be_visible()
    file = Path(os.environ.get("CATDOG_TEST_SCREENSHOTS", tmp_path)) / f"{name}.jpg"
    it.page.screenshot(path=file, type="jpeg", quality=85)
    with Image.open(file) as shot:
        scale = options.get("device_scale_factor", 1)
        assert shot.width == scale * options["viewport"]["width"]
        colors = shot.convert("RGB").resize((64, 64)).getcolors(64 * 64)
        assert colors is not None
        assert len(colors) > 200, "there is nothing on it"
