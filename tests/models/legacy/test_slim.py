"""Tests of TF-Slim's checkpoint in Keras' network, against Slim's graph computed by hand."""

from pathlib import Path

import numpy as np
import pytest

from catdog_stream.errors import InputError
from tests.models.legacy.conftest import MadeUp

pytest.importorskip("tensorflow")

from catdog_stream.models.legacy.slim import read_checkpoint
from tests.models.legacy.slim_graph import save

pytestmark = pytest.mark.slow


@pytest.mark.long
@pytest.mark.parametrize("form", ["one_file", "prefix"])
def test_the_network_says_what_slims_graph_says(made_up: MadeUp, form: str) -> None:
    assert np.ptp(made_up.probabilities, axis=0).max() > 0.01  # the outputs of the pictures differ
    network = read_checkpoint(getattr(made_up, form), "made up")
    found = network(made_up.pictures.astype(np.float32) / 127.5 - 1).numpy()
    difference = np.abs(found - made_up.probabilities).max()
    print(f"largest difference of a probability: {difference:.1e}")
    assert difference < 2e-6
    np.testing.assert_allclose(found, made_up.probabilities, rtol=1e-3)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        (None, "is not a checkpoint of TF-Slim's Inception V3: it has no InceptionV3/Conv2d_1a"),
        ((3, 3, 3, 16), r"is float32 \[3, 3, 3, 16\], the network takes float32 \[3, 3, 3, 32\]"),
        ((3, 3, 3, 32), "holds numbers that are not finite"),
    ],
)
def test_the_checkpoint_of_another_network(
    tmp_path: Path, shape: tuple[int, ...] | None, sentence: str
) -> None:
    name = "InceptionV3/Conv2d_1a_3x3/weights"
    values = {"other": np.zeros(1)} if shape is None else {name: np.full(shape, np.nan, "f4")}
    save(values, tmp_path / "other.ckpt", version=1)
    with pytest.raises(InputError, match=sentence):
        read_checkpoint(tmp_path / "other.ckpt", "other.ckpt")


def test_a_file_that_is_no_checkpoint(tmp_path: Path, made_up: MadeUp) -> None:
    with pytest.raises(InputError, match="There is no checkpoint"):
        read_checkpoint(tmp_path / "nowhere.ckpt", "nowhere.ckpt")
    whole = made_up.one_file.read_bytes()
    for content in (b"", b"no checkpoint", whole[: len(whole) // 2]):
        (tmp_path / "damaged.ckpt").write_bytes(content)
        with pytest.raises(InputError, match=r"TensorFlow cannot read .* as a checkpoint"):
            read_checkpoint(tmp_path / "damaged.ckpt", "damaged.ckpt")
