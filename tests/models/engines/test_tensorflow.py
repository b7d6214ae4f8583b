"""Tests of TensorFlow: one batch size for all calls, so that batches change no bit of a feature."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catdog_stream.models.engines.backbone import Backbone, Features, Pictures
from catdog_stream.models.stacks.loading import load_backbone
from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.stacks.manifest import load_manifest

pytestmark = pytest.mark.slow

#: From about 235 on, TensorFlow on a CPU with AVX-512 rounds differently in batches of other sizes.
SIZE = 299
#: Smallest size that the network accepts.
SMALL = 75


def load(directory: Path, engine: dict[str, Any], size: int) -> Backbone:
    """Return the default stack's backbone, with a manifest in ``directory``."""
    for file in default_stack().iterdir():
        (directory / file.name).symlink_to(file)
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["input"]["size"] = size
    manifest["engine"] = engine
    (directory / "manifest.json").unlink()
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return load_backbone("tensorflow", directory, load_manifest(directory), threads=2)


def noise(count: int, size: int) -> Pictures:
    """Return pictures of random pixels, the same in every run."""
    return np.random.default_rng(2015).integers(0, 256, (count, size, size, 3), np.uint8)


def features(backbone: Backbone, pictures: Pictures, *, together: int) -> Features:
    """Return the features of each picture, from batches of ``together`` pictures."""
    starts = range(0, len(pictures), together)
    return np.concatenate(
        [backbone.features(list(pictures[start : start + together])) for start in starts]
    )


@pytest.mark.parametrize("size", [SMALL, pytest.param(SIZE, marks=pytest.mark.long)])
def test_no_batch_changes_a_bit_whatever_the_manifest_pins(tmp_path: Path, size: int) -> None:
    backbone = load(tmp_path, {"tensorflow": {"batch": 3}}, size)
    assert backbone.batch_size == (3 if backbone.on_gpu else 1)
    pictures = noise(5, size)
    expected = backbone.features(pictures)
    assert len(np.unique(expected, axis=0)) == 5
    for together in (1, 2, 4):
        np.testing.assert_array_equal(features(backbone, pictures, together=together), expected)
    np.testing.assert_array_equal(backbone.features(pictures[::-1]), expected[::-1])
