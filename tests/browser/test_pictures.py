"""Test that the network sees a picture as Chromium shows it.

docs/wire.md has the rule and its exceptions.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser

from catdog_stream.models.pictures import PictureLimits, decode
from catdog_stream.models.preprocessing import Preprocessing
from tests.support.shown_files import all_files

FILES = all_files()
#: Of 255: the difference between versions of JPEG decoders, and of arithmetic with colors.
TOLERANCE = 3

#: Maps a file, drawn on white, to its width, height and samples; null if it is not shown.
DRAW = """async (files) => Promise.all(files.map(async (file) => {
  const image = new Image();
  const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  const shown = new Promise((resolve) => {
    image.onload = () => resolve(true);
    image.onerror = () => resolve(false);
  });
  image.src = url;
  if (!(await shown)) return null;
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  URL.revokeObjectURL(url);
  const samples = context.getImageData(0, 0, width, height).data;
  return [width, height, btoa(String.fromCharCode(...samples))];
}))"""

Pixels = npt.NDArray[np.int16]


@pytest.fixture(scope="module")
def drawn(browser: Browser) -> Mapping[str, Pixels | None]:
    """Return the pixels that Chromium draws of each file."""
    page = browser.new_page()
    try:
        answers = page.evaluate(DRAW, [b64encode(file).decode() for file in FILES.values()])
    finally:
        page.close()
    return dict(zip(FILES, map(_pixels, answers), strict=True))


def _pixels(answer: tuple[int, int, str] | None) -> Pixels | None:
    if answer is None:
        return None
    width, height, samples = answer
    pixels = np.frombuffer(b64decode(samples), np.uint8).reshape(height, width, 4)
    return pixels[..., :3].astype(np.int16)


@pytest.mark.parametrize("name", FILES)
def test_the_network_sees_what_chromium_shows(
    name: str, drawn: Mapping[str, Pixels | None]
) -> None:
    shown = drawn[name]
    assert shown is not None
    assert shown.shape[0] == shown.shape[1]  # so that no picture is resized
    seen = decode(FILES[name], Preprocessing(shown.shape[0]), PictureLimits()).astype(np.int16)
    assert np.abs(seen - shown).max() <= TOLERANCE
