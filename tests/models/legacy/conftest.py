"""Invented checkpoint of TF-Slim's Inception V3, and its output for some pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.models.derived import derived_pictures


@dataclass(frozen=True)
class MadeUp:
    """Checkpoint in both formats of TensorFlow, with the same variables."""

    one_file: Path
    prefix: Path
    pictures: npt.NDArray[np.uint8]
    """[4, 299, 299, 3]."""
    probabilities: npt.NDArray[np.float32]
    """[4, 1001], computed by hand."""
    values: dict[str, npt.NDArray[Any]]


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    pytest.importorskip("tensorflow")
    from tests.models.legacy.slim_graph import made_up, probabilities, save

    folder = tmp_path_factory.mktemp("checkpoint")
    pictures = np.array(derived_pictures(4), np.uint8)
    variable, values = made_up(2016)
    expected = probabilities(pictures.astype(np.float32) / 127.5 - 1, variable).numpy()
    # The further variables of a training's checkpoint: averages, counters, another classifier.
    beside = {
        f"{name}/ExponentialMovingAverage": np.full_like(value, 7)
        for name, value in values.items()
        if "Mixed_5b" in name
    }
    beside["global_step"] = np.array(1, np.int64)
    beside["InceptionV3/AuxLogits/Conv2d_2b_1x1/biases"] = np.zeros(1001, np.float32)
    file, prefix = folder / "inception_v3.ckpt", folder / "model.ckpt-1"
    save(values | beside, file, version=1)
    save(values | beside, prefix, version=2)
    return MadeUp(file, prefix, pictures, expected, values)
