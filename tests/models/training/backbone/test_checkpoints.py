"""Tests of checkpoints: they are read as written, and only the same training resumes from them."""

from pathlib import Path

import numpy as np
import pytest

from catdog_stream.errors import InputError
from catdog_stream.models.training.backbone.checkpoints import Checkpoint, load, save

ONES = [np.ones((2, 3), np.float32), np.ones(1, np.float32)]
STATE = Checkpoint("about this", 1, 20, ONES, [2 * each for each in ONES], [ONES[1]], [0.5, 0.25])


def test_what_was_saved_is_read_back(tmp_path: Path) -> None:
    assert load(tmp_path, "about this") is None
    save(tmp_path, STATE)
    found = load(tmp_path, "about this")
    assert found is not None
    assert (found.phase, found.step, found.losses) == (1, 20, [0.5, 0.25])
    for kind in ("weights", "averages", "optimizer"):
        for here, there in zip(getattr(found, kind), getattr(STATE, kind), strict=True):
            np.testing.assert_array_equal(here, there)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]


def test_another_training_does_not_go_on_from_it(tmp_path: Path) -> None:
    save(tmp_path, STATE)
    with pytest.raises(InputError, match="is of another training"):
        load(tmp_path, "about that")


@pytest.mark.parametrize("size", [0, 10, 500])
def test_what_is_cut_off_is_told(tmp_path: Path, size: int) -> None:
    save(tmp_path, STATE)
    file = tmp_path / "checkpoint.npz"
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(InputError, match="is no checkpoint"):
        load(tmp_path, "about this")
